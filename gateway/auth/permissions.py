"""What each permission of the route table demands of a caller's key.

- open: no key is needed.
- any: any valid key; what is shown depends on the key.
- invoke: a key that may invoke the function in the path, whether or not it exists.
- call: a key that may invoke some function; the resource finds out which one the path means.
- see: a key that may invoke the function in the path, or read.
- follow: any valid key; without `read`, only invocations of the caller's own name are visible.
- steer: a key that may operate, or a key that may invoke, for invocations of its own name.
- read, operate, admin: a key with that scope, or with one that implies it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.auth.caller import Caller
from gateway.problems import ProblemError
from gateway.routing.operation import Operation, Permission
from runtime.access.scopes import Grant

_CHECKS: dict[Permission, Callable[[Grant, str], bool]] = {
    "open": lambda _grant, _name: True,
    "any": lambda _grant, _name: True,
    "follow": lambda _grant, _name: True,
    "invoke": lambda grant, name: grant.may_invoke(name),
    "call": lambda grant, _name: grant.invokes,
    "see": lambda grant, name: grant.may_see(name),
    "steer": lambda grant, _name: grant.operates or grant.invokes,
    "read": lambda grant, _name: grant.reads,
    "operate": lambda grant, _name: grant.operates,
    "admin": lambda grant, _name: grant.administers,
}
_NEEDED: dict[Permission, str] = {
    "invoke": "`invoke:{name}`",
    "call": "`invoke:{name}`",
    "see": "`invoke:{name}` or `read`",
    "steer": "`operate`, or `invoke` for calls of its own name",
    "read": "`read`",
    "operate": "`operate`",
    "admin": "`admin`",
}
_LONGEST_NAME = 128


def require_permission(operation: Operation, caller: Caller, params: Mapping[str, Any]) -> None:
    """Return if the caller may use an operation at all.

    Raises:
        ProblemError: `forbidden`. The response does not show whether the resource exists.
    """
    permission = operation.permission
    if permission is None:
        raise ProblemError("forbidden", "This operation has no scope, so it is refused.")
    name = params.get("name", "")
    if not _CHECKS[permission](caller.grant, name):
        raise lacks_scope(permission, name)


def lacks_scope(permission: Permission, name: str = "") -> ProblemError:
    """Return the problem of a key that does not have the required scope."""
    needed = _NEEDED[permission].format(name=name[:_LONGEST_NAME])
    return ProblemError("forbidden", f"This API key lacks the scope {needed}.")


def covers(operation: Operation, grant: Grant) -> bool:
    """Whether a grant allows an operation in at least one case, so that the document shows it."""
    if operation.permission in ("invoke", "see"):
        return grant.invokes or (operation.permission == "see" and grant.reads)
    return operation.permission is not None and _CHECKS[operation.permission](grant, "")
