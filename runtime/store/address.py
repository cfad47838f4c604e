"""Where Redis is: a parsed URL, and the handshake every connection begins with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from runtime.errors import SettingsError, StoreTooOldError
from runtime.store.scripts import Argument, all_scripts

OLDEST = (6, 2)
_DEFAULT_PORT = 6379
_EXAMPLE = "redis://127.0.0.1:6379/0, rediss://… or unix:///run/redis.sock?db=0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One Redis server; `path` for a Unix socket, else host and port."""

    host: str = "127.0.0.1"
    port: int = _DEFAULT_PORT
    path: str | None = None
    db: int = 0
    username: str | None = None
    password: str | None = None
    tls: bool = False

    def handshake(self) -> list[tuple[Argument, ...]]:
        """Return the commands a new connection sends first; INFO's answer is last."""
        words: list[tuple[Argument, ...]] = []
        if self.password is not None:
            words.append(
                ("AUTH", self.username, self.password) if self.username else ("AUTH", self.password)
            )
        if self.db:
            words.append(("SELECT", self.db))
        words.extend(("SCRIPT", "LOAD", script.source) for script in all_scripts())
        words.append(("INFO", "server"))
        return words


def parse_address(url: str) -> Address:
    """Read a Redis URL.

    Raises:
        SettingsError: It is not one.
    """
    parts = urlsplit(url)
    try:
        query = parse_qs(parts.query)
        password = unquote(parts.password) if parts.password else None
        username = unquote(parts.username) if parts.username else None
        if parts.scheme == "unix" and parts.path:
            db = int(query.get("db", ["0"])[0])
            return Address(path=unquote(parts.path), db=db, username=username, password=password)
        if parts.scheme in {"redis", "rediss"} and parts.hostname:
            return Address(
                host=parts.hostname,
                port=parts.port or _DEFAULT_PORT,
                db=int(parts.path.strip("/") or query.get("db", ["0"])[0]),
                username=username,
                password=password,
                tls=parts.scheme == "rediss",
            )
    except ValueError:
        pass
    raise SettingsError(f"PENSTOCK_REDIS: not a Redis address: {url!r}; write {_EXAMPLE}")


def check_version(info: bytes) -> None:
    """Raise StoreTooOldError unless INFO tells of a server we can rely on."""
    match = re.search(rb"redis_version:(\d+)\.(\d+)", info)
    if match and (int(match[1]), int(match[2])) < OLDEST:
        found = f"{int(match[1])}.{int(match[2])}"
        raise StoreTooOldError(
            f"Redis {found} is too old: Penstock needs {OLDEST[0]}.{OLDEST[1]} or newer "
            "(or Valkey); upgrade it, or leave PENSTOCK_REDIS empty for the embedded one"
        )
