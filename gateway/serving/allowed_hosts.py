"""The names a gateway answers to where it asks nobody for a key.

A page whose name was rebound to a loopback address (DNS rebinding) is of the same origin as the
gateway it reaches, so that nothing but the Host of its requests gives it away. The parser
judges the Host of every head before anything is made of it; whatever serves the request, and
whatever path it asks for, comes later.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_AUTHORITY = re.compile(
    r"(?:\[(?P<v6>[0-9a-f]*:[0-9a-f:.]+)\]|(?P<name>[^\[\]:@/?#\s]+))(?::[0-9]{0,5})?"
)
_LOCALHOST = "localhost"
_MOST_REMEMBERED = 64
_SHOWN = 64


class AllowedHosts:
    """Judges by the name alone, since a rebound page may use any port.

    Args:
        names: Further host names or addresses, without ports: the bind address, a proxy's name.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        given = {name.strip("[]").lower() for name in names}
        self._names = frozenset(given - {""} | {_LOCALHOST})
        self._accepted: set[bytes] = set()

    def accept(self, authority: bytes) -> bool:
        """Whether a Host header, or the authority of an absolute target, is one of ours."""
        if authority in self._accepted:
            return True
        if not self._decide(authority):
            return False
        if len(self._accepted) < _MOST_REMEMBERED:
            self._accepted.add(authority)
        return True

    def _decide(self, authority: bytes) -> bool:
        match = _AUTHORITY.fullmatch(authority.decode("latin-1").lower())
        if match is None:
            return False
        name: str = match["v6"] or match["name"]
        return name in self._names or _is_loopback_literal(name)


def explain(authority: bytes | None) -> str:
    """Say what is wrong with a Host, and what to set if it is right after all."""
    given = (
        "this request names none"
        if authority is None
        else f"this request is for {authority.decode('latin-1')[:_SHOWN]!r}"
    )
    return (
        "This gateway asks nobody for a key, so it answers only for localhost, loopback addresses, "
        f"the address it is bound to and the host of PENSTOCK_PUBLIC_URL; {given}. If that is "
        "meant, set PENSTOCK_PUBLIC_URL to this address, or ask for keys: PENSTOCK_AUTH=required."
    )


def _is_loopback_literal(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
