"""Who calls, whose the invocations are that they make, and what they may, as one table.

The doorkeeper notes the caller of every request that needs one; whoever asks for the caller of a
request that was not judged gets an error, never everybody's rights. The scopes of operations:

- open: nobody is asked for a key.
- any: every key; what is shown depends on it.
- invoke: a key that may invoke the function in the path, whether there is one or not.
- see: the same, or one that may read.
- follow: every key; but without `read`, only what its own name has called exists for it.
- steer: a key that may operate; or may invoke, and then what its own name has called.
- read, operate, admin: a key with that scope, or one that implies it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.problems import ProblemError
from gateway.routing.operation import Operation, Scope
from runtime.access.api_key import ApiKey
from runtime.access.scopes import EVERYTHING, Grant
from runtime.sdk.options import Rate

CALLER = "penstock.caller"
_V6_NETWORK_BITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One caller.

    Attributes:
        grant: What he may do.
        name: The name of his key; None where none was asked for.
        key_id: The id of his key, "" without one.
        rate: How fast he may call, where his key says so.
        expires_at_ms: When his key, or his session, is over; None is never.
        session: The digest of his session, "" where he shows a key.
    """

    grant: Grant
    name: str | None = None
    key_id: str = ""
    rate: Rate | None = None
    expires_at_ms: int | None = None
    session: str = ""

    @property
    def is_session(self) -> bool:
        """Whether he shows a session's cookie instead of a key."""
        return bool(self.session)

    @property
    def sees_only(self) -> str | None:
        """Whose invocations he may look at; None is everybody's."""
        return None if self.grant.reads else self.name or ""

    @property
    def controls_only(self) -> str | None:
        """Whose invocations he may cancel and retry; None is everybody's."""
        return None if self.grant.operates else self.name or ""

    def may_retry(self, function: str) -> bool:
        """Whether he may have a function invoked again."""
        return self.grant.operates or self.grant.may_invoke(function)


ANYBODY = Caller(grant=EVERYTHING)


def caller_with(key: ApiKey) -> Caller:
    """Return the caller who shows a key."""
    return Caller(
        grant=key.grant,
        name=key.name,
        key_id=key.id,
        rate=key.rate,
        expires_at_ms=key.expires_at_ms,
    )


def caller_of(scope: Mapping[str, Any]) -> Caller:
    """Return the caller of a request that the doorkeeper has judged."""
    caller: Caller = scope[CALLER]
    return caller


def identity_of(scope: Mapping[str, Any]) -> str:
    """Return whose idempotency keys a request's key is among: all keys of a name are one."""
    return caller_of(scope).name or ""


def address_of(scope: Mapping[str, Any]) -> str:
    """Return whom to count a request for: the client's address, or its IPv6 network."""
    client = scope.get("client")
    if not client:
        return "local"
    host: str = client[0]
    if ":" not in host:
        return host
    try:
        address = ipaddress.IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, _V6_NETWORK_BITS), strict=False))


ScopeCheck = Callable[[Grant, str], bool]
SCOPE_CHECKS: dict[Scope, ScopeCheck] = {
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
    if not SCOPE_CHECKS[scope](caller.grant, name):
        raise lacks_scope(scope, name)


def lacks_scope(scope: Scope, name: str = "") -> ProblemError:
    """Return the problem of a key without the scope that is needed."""
    needed = _NEEDED[scope].format(name=name[:_LONGEST_NAME])
    return ProblemError("forbidden", f"This API key lacks the scope {needed}.")


def covers(operation: Operation, grant: Grant) -> bool:
    """Whether the document shows an operation to somebody: there is a case in which he may."""
    if operation.scope in ("invoke", "see"):
        return grant.invokes or (operation.scope == "see" and grant.reads)
    return operation.scope is not None and SCOPE_CHECKS[operation.scope](grant, "")
