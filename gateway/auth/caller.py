"""The caller of a request: who they are, and what their key grants.

`AuthMiddleware` sets the caller of every request that needs one, as `scope[CALLER]`. Reading it
raises KeyError for any other request, so a missing check never grants rights.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
        name: The name of their key, or `webhook:<scheme>` for a signature; None if neither was
            needed.
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
    """Return the caller that `AuthMiddleware` has set for a request.

    The way of a call reads `scope[CALLER]` itself: that is two calls less for each request.
    """
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
