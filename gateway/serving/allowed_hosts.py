"""The host names that a gateway without keys answers to.

DNS rebinding gives the name of a web site a loopback address. The site's page then has the same
origin as the gateway it reaches, and only the Host header of its requests gives it away. The
parser checks the Host of every request head, whatever its path, before a request is created.
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
    """Checks the host name and ignores the port, because a rebound page may use any port.

    Args:
        names: Names or addresses, without ports, that are allowed besides localhost and
            loopback addresses: the bind address, a proxy's name.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        given = {name.strip("[]").lower() for name in names}
        self._names = frozenset(given - {""} | {_LOCALHOST})
        self._accepted: set[bytes] = set()

    def accept(self, authority: bytes) -> bool:
        """Whether a Host header, or the authority of an absolute target, names this gateway."""
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
    """Return the detail of a refusal: the Host given, and the settings that allow it."""
    given = (
        "this request has no Host header"
        if authority is None
        else f"this request is for {authority.decode('latin-1')[:_SHOWN]!r}"
    )
    return (
        "This gateway does not require keys, so it answers only for localhost, loopback addresses, "
        f"the address it is bound to and the host of PENSTOCK_PUBLIC_URL; {given}. To allow this "
        "host, set PENSTOCK_PUBLIC_URL to it, or require keys with PENSTOCK_AUTH=required."
    )


def _is_loopback_literal(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
