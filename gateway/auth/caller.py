"""The caller of a request, their permissions, and the table of scopes.

`AuthMiddleware` sets the caller of every request that needs one. `caller_of` raises KeyError for
any other request, so a missing check never grants rights. The scopes of operations are:

- open: no key is needed.
- any: any valid key; what is shown depends on the key.
- invoke: a key that may invoke the function in the path, whether or not it exists.
- see: a key that may invoke the function in the path, or read.
- follow: any valid key; without `read`, only invocations of the caller's own name are visible.
- steer: a key that may operate, or a key that may invoke, for invocations of its own name.
- read, operate, admin: a key with that scope, or with one that implies it.
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
    """The caller of a request.

    Attributes:
        grant: What they may do.
        name: The name of their key; None if no key was needed.
        key_id: The id of their key; "" without one.
        rate: The rate limit of their key, if it has one.
        expires_at_ms: When their key or session expires; None if never.
        session: The digest of their session; "" if they sent a key.
    """

    grant: Grant
    name: str | None = None
    key_id: str = ""
    rate: Rate | None = None
    expires_at_ms: int | None = None
    session: str = ""

    @property
    def is_session(self) -> bool:
        """Whether they sent a session cookie instead of a key."""
        return bool(self.session)

    @property
    def sees_only(self) -> str | None:
        """The name whose invocations they may see; None for every name."""
        return None if self.grant.reads else self.name or ""

    @property
    def controls_only(self) -> str | None:
        """The name whose invocations they may cancel and retry; None for every name."""
        return None if self.grant.operates else self.name or ""

    def may_retry(self, function: str) -> bool:
        """Whether they may retry invocations of a function."""
        return self.grant.operates or self.grant.may_invoke(function)


ANYBODY = Caller(grant=EVERYTHING)


def caller_with(key: ApiKey) -> Caller:
    """Return the caller with a key."""
    return Caller(
        grant=key.grant,
        name=key.name,
        key_id=key.id,
        rate=key.rate,
        expires_at_ms=key.expires_at_ms,
    )


def caller_of(scope: Mapping[str, Any]) -> Caller:
    """Return the caller that `AuthMiddleware` has set for a request."""
    caller: Caller = scope[CALLER]
    return caller


def identity_of(scope: Mapping[str, Any]) -> str:
    """Return the caller that an idempotency key belongs to: the name, for all keys with it."""
    return caller_of(scope).name or ""


def address_of(scope: Mapping[str, Any]) -> str:
    """Return the address that a request is counted for: the client's IPv4 address or IPv6 /64."""
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
    scope = operation.scope
    if scope is None:
        raise ProblemError("forbidden", "This operation has no scope, so it is refused.")
    name = params.get("name", "")
    if not SCOPE_CHECKS[scope](caller.grant, name):
        raise lacks_scope(scope, name)


def lacks_scope(scope: Scope, name: str = "") -> ProblemError:
    """Return the problem of a key that does not have the required scope."""
    needed = _NEEDED[scope].format(name=name[:_LONGEST_NAME])
    return ProblemError("forbidden", f"This API key lacks the scope {needed}.")


def covers(operation: Operation, grant: Grant) -> bool:
    """Whether a grant allows an operation in at least one case, so that the document shows it."""
    if operation.scope in ("invoke", "see"):
        return grant.invokes or (operation.scope == "see" and grant.reads)
    return operation.scope is not None and SCOPE_CHECKS[operation.scope](grant, "")
