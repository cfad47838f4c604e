"""Who calls: what the key he shows allows, and whose the invocations are that he makes.

The doorkeeper notes the caller of every request that needs one; whoever asks for the
caller of a request that was not judged gets an error, never everybody's rights.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.access.api_key import ApiKey
from runtime.access.grants import EVERYTHING, Grant
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
    def steers_only(self) -> str | None:
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
