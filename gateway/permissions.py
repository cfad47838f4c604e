"""From an operation's scope to whether a caller may: one table, and no other place.

- open: nobody is asked for a key.
- any: every key; what is shown depends on it.
- invoke: a key that may invoke the function in the path, whether there is one or not.
- see: the same, or one that may read.
- follow: every key; but without `read`, only what its own name has called exists for it.
- steer: a key that may operate; or may invoke, and then what its own name has called.
- read, operate, admin: a key with that scope, or one that implies it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.callers import Caller
from gateway.operations import Operation, Scope
from gateway.problems import ProblemError
from runtime.access.grants import Grant

Judge = Callable[[Grant, str], bool]
JUDGES: dict[Scope, Judge] = {
    "open": lambda _grant, _name: True,
    "any": lambda _grant, _name: True,
    "follow": lambda _grant, _name: True,
    "invoke": lambda grant, name: grant.may_invoke(name),
    "see": lambda grant, name: grant.may_see(name),
    "steer": lambda grant, _name: grant.operates or grant.invokes,
    "read": lambda grant, _name: grant.reads,
    "operate": lambda grant, _name: grant.operates,
    "admin": lambda grant, _name: grant.administers,
}
_NEEDED: dict[Scope, str] = {
    "invoke": "`invoke:{name}`",
    "see": "`invoke:{name}` or `read`",
    "steer": "`operate`, or `invoke` for what it has called itself",
    "read": "`read`",
    "operate": "`operate`",
    "admin": "`admin`",
}
_LONGEST_NAME = 128


def require_permission(operation: Operation, caller: Caller, params: Mapping[str, Any]) -> None:
    """Pass if the caller may do this at all.

    Raises:
        ProblemError: `forbidden`; the answer is the same whether what is named exists or not.
    """
    scope = operation.scope
    if scope is None:
        raise ProblemError("forbidden", "No scope is declared for this operation.")
    name = params.get("name", "")
    if not JUDGES[scope](caller.grant, name):
        raise lacks_scope(scope, name)


def lacks_scope(scope: Scope, name: str = "") -> ProblemError:
    """Return the problem of a key without the scope that is needed."""
    needed = _NEEDED[scope].format(name=name[:_LONGEST_NAME])
    return ProblemError("forbidden", f"This API key lacks the scope {needed}.")


def covers(operation: Operation, grant: Grant) -> bool:
    """Whether the document shows an operation to somebody: there is a case in which he may."""
    if operation.scope in ("invoke", "see"):
        return grant.invokes or (operation.scope == "see" and grant.reads)
    return operation.scope is not None and JUDGES[operation.scope](grant, "")
