"""Parse the bodies that create or change a schedule, strictly.

Each fault has a JSON pointer and says what is expected; unknown members are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.parsing.json_body import read_json_object
from gateway.parsing.member_names import fault_at, unknown_members
from gateway.problems import refuse_faults
from runtime.errors import ArgumentFault, ArgumentsError
from runtime.registry.argument_check import check_arguments
from runtime.registry.manifest import Manifest
from runtime.schedules.cron import Cron
from runtime.sdk.cron_syntax import check_cron, check_timezone

_decode_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_USUAL = {"timezone": "UTC", "paused": "0", "overlap": "1", "catch_up": "0"}
_SHOWN_ONLY = dict.fromkeys(
    ("id", "source", "next", "last_invocation", "fired", "skipped", "skips", "created_at", "links"),
    "is read-only and cannot be set",
)
_NOT_CHANGED = {**_SHOWN_ONLY, "function": "cannot be changed; create another schedule"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """The contents of a body that creates or changes a schedule.

    Attributes:
        function: The name of its function; empty if the body changes a schedule.
        fields: The fields to set in the schedule's hash, with the arguments as sent.
        arguments: The decoded arguments; None if the body has none.
    """

    function: str
    fields: dict[str, str | bytes]
    arguments: dict[str, Any] | None


def read_new_schedule(body: bytes) -> Definition:
    """Parse the body of a new schedule.

    Raises:
        ProblemError: `invalid_json`, or `schedule_invalid` with a pointer to each fault.
    """
    given = read_json_object(body)
    faults = unknown_members(given, ("function", *_MEMBERS), _SHOWN_ONLY)
    function = given.get("function")
    if not isinstance(function, str) or not function:
        faults.append(fault_at("function", "takes the name of a function"))
    if "cron" not in given:
        faults.append(fault_at("cron", "is required: a cron line"))
    fields = _read_members(body, given, faults)
    refuse_faults("schedule_invalid", faults)
    return Definition(
        function=str(function),
        fields={**_USUAL, "function": str(function), "arguments": b"{}", **fields},
        arguments=given.get("arguments", {}),
    )


def read_schedule_change(body: bytes) -> Definition:
    """Parse the body that changes a schedule; it needs at least one member.

    Raises:
        ProblemError: `invalid_json`, or `schedule_invalid` with a pointer to each fault.
    """
    given = read_json_object(body)
    faults = unknown_members(given, tuple(_MEMBERS), _NOT_CHANGED)
    if not given:
        faults.append(ArgumentFault(pointer="", detail=f"takes one or more of {_names()}"))
    fields = _read_members(body, given, faults)
    refuse_faults("schedule_invalid", faults)
    return Definition(function="", fields=fields, arguments=given.get("arguments"))


def check_fits(manifest: Manifest, arguments: dict[str, Any]) -> None:
    """Return if a schedule can invoke the function with these arguments.

    Raises:
        ProblemError: `schedule_invalid`, with a pointer to each wrong argument.
    """
    if manifest.takes_request:
        detail = f"{manifest.name} takes the HTTP request, and a schedule has none"
        refuse_faults("schedule_invalid", [fault_at("function", detail)])
    try:
        check_arguments(manifest, arguments)
    except ArgumentsError as error:
        refuse_faults(
            "schedule_invalid",
            (
                ArgumentFault(pointer=f"/arguments{fault.pointer}", detail=fault.detail)
                for fault in error.faults
            ),
        )


def _read_members(
    body: bytes, given: Mapping[str, Any], faults: list[ArgumentFault]
) -> dict[str, str | bytes]:
    """Return the fields that the known members set and append what is wrong to `faults`."""
    fields: dict[str, str | bytes] = {}
    for name, read in _MEMBERS.items():
        if name in given:
            try:
                fields[name] = read(given[name])
            except ValueError as error:
                faults.append(fault_at(name, str(error)))
    if "arguments" in fields:
        fields["arguments"] = bytes(_decode_raw(body)["arguments"])
    return fields


def _names() -> str:
    return ", ".join(_MEMBERS)


def _cron(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("takes a cron line, such as '0 9 * * mon-fri'")  # noqa: TRY004
    line = check_cron(value)
    if Cron(line, "UTC").next_after(0) is None:
        raise ValueError(f"{value!r} never comes, because there is no such day")
    return line


def _arguments(value: object) -> bytes:
    if not isinstance(value, dict):
        raise ValueError("takes an object with the function's arguments")  # noqa: TRY004
    return b""


def _switch(value: object) -> str:
    if not isinstance(value, bool):
        raise ValueError("takes true or false")  # noqa: TRY004
    return "1" if value else "0"


_MEMBERS: dict[str, Callable[[object], str | bytes]] = {
    "cron": _cron,
    "timezone": check_timezone,
    "arguments": _arguments,
    "paused": _switch,
    "overlap": _switch,
    "catch_up": _switch,
}
