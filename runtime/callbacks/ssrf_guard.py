"""The SSRF guard: which callback addresses may be called, and at which network addresses.

A callback URL is parsed strictly, its host is resolved, and every address found must be allowed:
global unicast, or what the operator allows (`Policy`). The gateway checks a URL when it accepts a
call, the sender again at each attempt, and connects to those addresses only.

The denied networks are an explicit list, since `ipaddress.is_global` accepts NAT64, 6to4, multicast
and others. Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its
successors), and addresses on which clouds offer services.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from urllib.parse import SplitResult, quote, urlsplit

from runtime.callbacks.resolver import Resolver, resolve_host
from runtime.errors import CallbackAddressError, SettingsError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

_DENIED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's platform services
        "169.254.0.0/16",  # link local, metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")  # all global unicast; everything else is denied
_DENIED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks, AMT …
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


def is_global_unicast(address: Address) -> bool:
    """Whether this is a public address of the internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _DENIED_V4)
    if address.scope_id is not None or address not in _GLOBAL_V6:
        return False
    return not any(address in network for network in _DENIED_V6)


def is_loopback(address: Address) -> bool:
    """Whether this is a loopback address, IPv4-mapped IPv6 included."""
    return is_within(address, LOOPBACK)


def is_within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Whether one of `networks` contains it; ::ffff:a.b.c.d counts as a.b.c.d."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


_ASCII = "".join(map(chr, range(128)))
LONGEST_URL = 2_048
RESOLVE_TIMEOUT_S = 3.0
REFUSED = "the host of the callback address cannot be resolved or is not allowed"
_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"(?=.{1,253}\.?\Z)[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?\Z")
_RESOLVER = Resolver(resolve_host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an operator allows besides global unicast addresses."""

    allow_loopback: bool = False
    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A well-formed callback address, not checked yet. `host` is lower-case ASCII."""

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header: with the port unless it is the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTarget:
    """An allowed callback address, and the network addresses to connect to."""

    target: Target
    addresses: tuple[str, ...]


def parse_policy(allow: Sequence[str], *, allow_loopback: bool) -> Policy:
    """Parse PENSTOCK_CALLBACK_ALLOW: networks (CIDR), addresses and host names.

    Raises:
        SettingsError: An entry is none of these.
    """
    networks: list[Network] = []
    hosts: set[str] = set()
    for entry in allow:
        try:
            networks.append(ipaddress.ip_network(entry.strip("[]")))
        except ValueError:
            host = entry.lower().rstrip(".")
            if "/" in entry or ":" in entry or not _HOST_NAME.match(host):
                raise SettingsError(
                    f"PENSTOCK_CALLBACK_ALLOW: {entry!r} is neither a network "
                    "(10.1.0.0/16) nor a host name (hooks.internal)"
                ) from None
            hosts.add(host)
    return Policy(allow_loopback=allow_loopback, networks=tuple(networks), hosts=frozenset(hosts))


async def resolve_allowed(
    url: str,
    policy: Policy,
    *,
    resolver: Resolver = _RESOLVER,
    timeout_s: float = RESOLVE_TIMEOUT_S,
) -> ResolvedTarget:
    """Parse, resolve and check a callback address without blocking the event loop.

    Raises:
        CallbackAddressError: Malformed, unresolvable, not resolved in time, or not allowed.
    """
    target = parse_target(url)
    try:
        found = await resolver.resolve(target.host, target.port, timeout_s=timeout_s)
    except OSError as error:  # TimeoutError is one
        raise CallbackAddressError(REFUSED) from error
    return check_addresses(target, found, policy)


def check_addresses(target: Target, found: Sequence[str], policy: Policy) -> ResolvedTarget:
    """Check what a target's host resolved to. Every address must be allowed.

    Raises:
        CallbackAddressError: An address is not allowed, or there is none.
    """
    addresses = tuple(dict.fromkeys(found))
    allowed_by_name = target.host.rstrip(".") in policy.hosts
    for text in addresses:
        try:
            address = ipaddress.ip_address(text)
        except ValueError as error:
            raise CallbackAddressError(REFUSED) from error
        if not (allowed_by_name or _is_allowed(address, policy)):
            raise CallbackAddressError(REFUSED)
    if not addresses:
        raise CallbackAddressError(REFUSED)
    return ResolvedTarget(target=target, addresses=addresses)


def parse_target(url: str) -> Target:
    """Parse a callback address strictly.

    Raises:
        CallbackAddressError: It is malformed; the text says what is wrong.
    """
    if len(url) > LONGEST_URL:
        raise CallbackAddressError(f"the callback address is longer than {LONGEST_URL} characters")
    if any(c == "\\" or c.isspace() or unicodedata.category(c)[0] in "CZ" for c in url):
        raise CallbackAddressError(
            "the callback address contains white space, a control character or a backslash"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise CallbackAddressError("the callback address has a malformed host or port") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise CallbackAddressError("the callback address must begin with https:// or http://")
    if "@" in parts.netloc:
        raise CallbackAddressError("the callback address must not contain user info")
    if port == 0 or parts.netloc.endswith(":"):
        raise CallbackAddressError("the callback address has a malformed host or port")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = _ascii_host(parts)
    if not url.isascii():  # encode it here, so that the sender need not
        path = quote(path, safe=_ASCII)
        url = f"{scheme}://{parts.netloc}{path}"
    return Target(url=url, scheme=scheme, host=host, port=port or _PORTS[scheme], path=path)


def _ascii_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if not host:
        raise CallbackAddressError("the callback address has no host")
    malformed = CallbackAddressError("the callback address has a malformed host or port")
    if "[" in parts.netloc:
        try:
            return str(ipaddress.IPv6Address(host if "%" not in host else ""))
        except ValueError:
            raise malformed from None
    try:
        host = host.encode("idna").decode().lower()
    except UnicodeError:
        raise malformed from None
    if not _HOST_NAME.match(host):
        raise malformed
    return host


def _is_allowed(address: Address, policy: Policy) -> bool:
    if is_global_unicast(address) or is_within(address, policy.networks):
        return True
    return policy.allow_loopback and is_loopback(address)
