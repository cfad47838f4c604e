"""Parse a body whose only member is a switch, such as `{"paused": true}`."""

from __future__ import annotations

from gateway.parsing.json_body import read_json_object
from runtime.errors import ArgumentFault, ArgumentsError


def read_switch(body: bytes, name: str, *, default: bool | None = None) -> bool:
    """Return the value of the member `name`; without a default, the member is required.

    Raises:
        ProblemError: `invalid_json`.
        ArgumentsError: The value is not a boolean, or there are other members.
    """
    given = read_json_object(body)
    faults = [
        ArgumentFault(pointer=f"/{other}", detail=f"is unknown; the only member is {name}")
        for other in given
        if other != name
    ]
    value = given.get(name, default)
    if not isinstance(value, bool):
        faults.append(ArgumentFault(pointer=f"/{name}", detail="takes true or false"))
    if faults:
        raise ArgumentsError(tuple(faults))
    return bool(value)
