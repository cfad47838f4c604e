"""The embedded Redis, run for one command while no `up` runs on its data folder.

Used by `keys`, so that a system that requires keys can get its first one, and by `up`, to see
whether there are keys. The caller holds the lock of the data folder.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.cli.errors import CannotStartError
from gateway.cli.up.embedded_redis import find_server, prepare_folder, redis_command, socket_path
from runtime.errors import StoreError
from runtime.processes.environment import clean_environment
from runtime.settings import read_environment
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command

_START_LIMIT_S = 20.0
_STOP_LIMIT_S = 20.0
_PAUSE_S = 0.01


def has_data(data: Path) -> bool:
    """Whether an embedded Redis has ever stored data in this folder."""
    folder = data / "redis"
    return (folder / "appendonlydir").exists() or (folder / "appendonly.aof").exists()


@contextmanager
def momentary_redis(data: Path, lock_fd: int) -> Iterator[str]:
    """Run Redis on the folder's data and yield its URL; stop it at the end, with all data saved.

    Raises:
        CommandError: No Redis program can be used, or it does not start.
    """
    server = find_server()
    socket_at = socket_path(prepare_folder(data, server))
    process = subprocess.Popen(  # noqa: S603 - a command that we build
        redis_command(server.program, data, socket_at),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environment(read_environment()),
        pass_fds=(lock_fd,),
    )
    try:
        url = f"unix://{socket_at}"
        _await_answer(url, process, data)
        yield url
    finally:
        process.terminate()
        process.wait(_STOP_LIMIT_S)


def _await_answer(url: str, process: subprocess.Popen[bytes], data: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    connection = BlockingConnection(url)
    try:
        while True:
            try:
                connection.run(Command(("PING",), lambda reply: reply))
            except StoreError as error:
                if process.poll() is None and time.monotonic() < deadline:
                    time.sleep(_PAUSE_S)
                    continue
                raise CannotStartError(f"the Redis of {data} does not start: {error}") from error
            return
    finally:
        connection.close()
