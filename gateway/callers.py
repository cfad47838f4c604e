"""Who calls, as far as one can tell. There are no API keys yet, so all are one to us."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

_V6_NETWORK_BITS = 64


def identity_of(scope: Mapping[str, Any]) -> str:  # noqa: ARG001 - the key will be in it
    """Return whose idempotency keys a request's key is among."""
    return ""


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
