"""A Redis beside the system, so that a test can take it away and give it back when it likes.

Append-only and synced every second, as the embedded one; nobody restarts it but the test.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

from runtime.invocations.consistency import Finding
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command
from tests.support.checking import check_all
from tests.support.redis_server import start_redis

DURABLE = ("--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
COMMAND_LIMIT_S = 40.0
START_LIMIT_S = 30.0  # it loads what it had


class RedisPart:
    """One server on a socket in `folder`; its data stays there when it is killed."""

    keys = Keys()

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.url = url or f"unix://{folder / 'redis.sock'}"
        self._server: subprocess.Popen[bytes] | None = None
        self._connection = BlockingConnection(self.url, timeout_s=COMMAND_LIMIT_S)

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Start it on what it had; returns when it answers."""
        self._server = start_redis(self.folder, *DURABLE, within_s=START_LIMIT_S)

    def kill(self) -> None:
        """Kill it outright."""
        self._connection.close()  # the next command connects to the next server
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def suspend(self) -> None:
        """Stop it as a hung machine is stopped: connections stay, nothing answers."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def command(self, *words: str | bytes | float) -> Any:
        """Run one command and return the reply."""
        return self._connection.run(Command(words, lambda reply: reply))

    def check(self) -> list[Finding]:
        """Compare everything that it holds; return what does not fit."""
        return check_all(self._connection)

    def key(self, name: str, *parts: str) -> str:
        """Return a key by its name in the table of keys."""
        return self.keys.build(name, *parts)

    def close(self) -> None:
        """Kill it for good."""
        self.kill()
