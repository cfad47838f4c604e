"""The address of Redis: a parsed URL, and the handshake of every new connection.

An address with a `watch` names no server: sentinels name it (`runtime.store.sentinel`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import hiredis

from runtime.errors import SettingsError, StoreTooOldError, StoreUnavailableError
from runtime.store.resp import failure_of
from runtime.store.scripts import Argument, all_scripts
from runtime.store.tls import PARAMETERS, TlsConfig, read_trust

if TYPE_CHECKING:
    import ssl

OLDEST = (6, 2)
_DEFAULT_PORT = 6379
_SENTINEL_PORT = 26379
_WATCHED_TIMEOUT_S = 2.0
_WATCHED_CONNECT_S = 1.0
_SENTINELS = re.compile(r"(rediss?\+sentinel://)([^/?#]*)", re.IGNORECASE)
_EXAMPLE = (
    "redis://127.0.0.1:6379/0, rediss://…, unix:///run/redis.sock?db=0 "
    "or redis+sentinel://host1:26379,host2:26379/mymaster/0"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelConfig:
    """The sentinels that know the master of `service`, and our credentials for them."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    username: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUrl:
    """One Redis server: `path` for a Unix socket, else host and port.

    With `watch`, host and port are not valid until a sentinel has named them.
    """

    host: str = "127.0.0.1"
    port: int = _DEFAULT_PORT
    path: str | None = None
    db: int = 0
    username: str | None = None
    password: str | None = None
    tls: bool = False
    trust: TlsConfig = field(default_factory=TlsConfig)
    watch: SentinelConfig | None = None

    @property
    def name(self) -> str:
        """The server's name in messages; never contains a password."""
        return self.path or f"{self.host}:{self.port}"

    def limits_s(self, timeout_s: float) -> tuple[float, float]:
        """Return the longest waits for a reply and for connecting.

        With `watch` another server may be the master by now, so they are shorter.
        """
        if self.watch is None:
            return timeout_s, timeout_s
        return min(timeout_s, _WATCHED_TIMEOUT_S), min(timeout_s, _WATCHED_CONNECT_S)

    def tls_context(self) -> ssl.SSLContext | None:
        """Return the TLS context for connections; None without TLS."""
        return self.trust.context() if self.tls else None

    def authentication(self) -> list[tuple[Argument, ...]]:
        """Return the AUTH command, if the address has a password."""
        return authentication_of(self.username, self.password)

    def handshake(self) -> list[tuple[Argument, ...]]:
        """Return the first commands of a connection; `check_handshake` checks the replies."""
        words = self.authentication()
        if self.db:
            words.append(("SELECT", self.db))
        words.extend(("SCRIPT", "LOAD", script.source) for script in all_scripts())
        words.append(("ROLE",))
        words.append(("INFO", "server"))
        return words


def authentication_of(username: str | None, password: str | None) -> list[tuple[Argument, ...]]:
    """Return AUTH with the given credentials; nothing without a password."""
    if password is None:
        return []
    return [("AUTH", username, password) if username else ("AUTH", password)]


def parse_address(url: str) -> RedisUrl:
    """Parse a Redis URL.

    Raises:
        SettingsError: It is not a Redis URL.
    """
    try:
        parts = _split(url)
        address = _read(parts, {})
        if address is not None:
            address = _read(parts, _read_parameters(parts))
    except ParameterError as error:
        raise SettingsError(f"PENSTOCK_REDIS: {error}") from None
    except ValueError:
        address = None
    if address is None:
        shown = re.sub(r"//[^/]*@", "//…@", url)  # never show a password
        raise SettingsError(f"PENSTOCK_REDIS: not a Redis address: {shown!r}; write {_EXAMPLE}")
    return address


def _split(url: str) -> SplitResult:
    """Split an address; several hosts are left in `netloc` as they were written.

    `urlsplit` takes one host: some versions of Python refuse the brackets of a second one.
    """
    found = _SENTINELS.match(url)
    if found is None:
        return urlsplit(url)
    return urlsplit(f"{found[1]}hosts{url[found.end() :]}")._replace(netloc=found[2])


class ParameterError(ValueError):
    """A parameter of an address is unknown or wrong; the text says which."""


def _read_parameters(parts: SplitResult) -> dict[str, str]:
    """Return the query parameters of an address.

    Raises:
        ParameterError: A parameter is not allowed in this kind of address, or is wrong.
    """
    scheme, _, kind = parts.scheme.partition("+")
    known = ["db"]
    known += ["sentinel_username", "sentinel_password"] if kind == "sentinel" else []
    known += PARAMETERS if scheme == "rediss" else []
    query: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in PARAMETERS and scheme != "rediss":
            raise ParameterError(f"{name!r} is for TLS: begin the address with rediss://")
        if name not in known:
            raise ParameterError(
                f"an address has no parameter {name[:64]!r}; this one takes {', '.join(known)}"
            )
        if name in query:
            raise ParameterError(f"{name!r} is given more than once")
        query[name] = value
    try:
        int(query.get("db", "0"))
        read_trust(query)
    except ValueError as error:
        wrong = str(error) if "ssl_" in str(error) else "db: takes a whole number"
        raise ParameterError(wrong) from None
    return query


def _read(parts: SplitResult, query: Mapping[str, str]) -> RedisUrl | None:
    username, password, hosts = _split_credentials(parts.netloc)
    scheme, _, kind = parts.scheme.partition("+")
    if parts.scheme == "unix" and parts.path:
        db = int(query.get("db", "0"))
        return RedisUrl(path=unquote(parts.path), db=db, username=username, password=password)
    if scheme not in {"redis", "rediss"}:
        return None
    if not kind and parts.hostname:
        return RedisUrl(
            host=parts.hostname,
            port=parts.port or _DEFAULT_PORT,
            db=int(parts.path.strip("/") or query.get("db", "0")),
            username=username,
            password=password,
            tls=scheme == "rediss",
            trust=read_trust(query),
        )
    service, _, db_text = parts.path.strip("/").partition("/")
    if kind != "sentinel" or not hosts or not service:
        return None
    return RedisUrl(
        db=int(db_text or query.get("db", "0")),
        username=username,
        password=password,
        tls=scheme == "rediss",
        trust=read_trust(query),
        watch=SentinelConfig(
            sentinels=tuple(_read_host(host) for host in hosts.split(",")),
            service=unquote(service),
            username=query.get("sentinel_username"),
            password=query.get("sentinel_password"),
        ),
    )


def _split_credentials(netloc: str) -> tuple[str | None, str | None, str]:
    credentials, _, hosts = netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    return unquote(username) or None, unquote(password) or None, hosts


def _read_host(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text.strip()}")
    if not parts.hostname or parts.path or parts.query:
        raise ValueError(text)
    return parts.hostname, parts.port or _SENTINEL_PORT


def check_handshake(replies: list[Any]) -> None:
    """Check the replies of a server to `RedisUrl.handshake`.

    Raises:
        StoreError: It refuses the login, is too old, or is a replica, which takes no writes.
    """
    *others, role, info = replies
    for reply in (*others, info):
        if isinstance(reply, hiredis.ReplyError):
            raise failure_of(str(reply))
    check_version(info)
    check_role(role)


def check_role(role: Any) -> None:  # noqa: ANN401 - a reply is any RESP value
    """Raise StoreUnavailableError if ROLE's reply is not a master's.

    If an ACL forbids ROLE, the server named in the address is taken for the master.
    """
    if isinstance(role, list) and role and role[0] != b"master":
        raise StoreUnavailableError(f"this Redis is a {role[0].decode()} and takes no writes")


def check_version(info: bytes) -> None:
    """Raise StoreTooOldError if INFO names a version older than `OLDEST`."""
    match = re.search(rb"redis_version:(\d+)\.(\d+)", info)
    if match and (int(match[1]), int(match[2])) < OLDEST:
        found = f"{int(match[1])}.{int(match[2])}"
        raise StoreTooOldError(
            f"Redis {found} is too old: Penstock needs {OLDEST[0]}.{OLDEST[1]} or newer "
            "(or Valkey); upgrade it, or leave PENSTOCK_REDIS empty for the embedded one"
        )
