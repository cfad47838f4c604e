"""A whole worker process inside of a test's own: its loop runs in a thread."""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

from dramatiq.middleware import Middleware

from runtime.invocations.status import Status
from runtime.registry.manifest_codec import decode_manifest
from runtime.settings import Settings
from runtime.store.function_commands import read_manifests
from runtime.worker.main import build
from runtime.worker.process import WorkerProcess
from tests.support.life import Life
from tests.support.loop_thread import LoopThread, turn_until
from tests.support.waiting import eventually

T = TypeVar("T")


def statuses(life: Life, ids: Sequence[str]) -> list[Status]:
    return [life.read(one).status for one in ids]


class Working:
    """One worker that publishes its folder.

    Args:
        life: Of the Redis at `url`.
        folder: Of its functions.
        middleware: Of Dramatiq, in its broker.
        settings: Differing from those of a lively worker.
    """

    def __init__(
        self,
        life: Life,
        url: str,
        folder: Path,
        *,
        middleware: Sequence[Middleware] = (),
        **settings: object,
    ) -> None:
        usual = {"runners": 2, "heartbeat_ms": 100, "lease_ms": 2_000, "drain_s": 10.0}
        self.folder = folder
        self.life = life
        given = Settings(redis=url, functions=folder, **{**usual, **settings})
        with_middleware = partial(WorkerProcess, middleware=middleware)
        with patch("runtime.worker.main.WorkerProcess", with_middleware):
            self.worker: WorkerProcess = build(given)
        self._thread = threading.Thread(target=self.worker.run, name="worker", daemon=True)
        self._is_closed = False
        self._on_loop = LoopThread(self.worker.loop)

    def start(self) -> None:
        self._thread.start()

    def write(self, name: str, source: str) -> None:
        """Write a file with functions, and wait until they can be called."""
        path = self.folder / f"{name}.py"
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        eventually(lambda: self._serves(name), within_s=10)

    def do(self, act: Callable[[], T]) -> T:
        """Do something in the loop's thread."""
        return self._on_loop.do(act)

    def request_stop(self) -> None:
        self.worker.request_stop()

    def wait_until_stopped(self, *, within_s: float = 10.0) -> None:
        self._thread.join(within_s)
        assert not self._thread.is_alive()

    def stop(self) -> None:
        if self._thread.is_alive():
            self.request_stop()
            self.wait_until_stopped()
        if self._is_closed:
            return
        self._is_closed = True
        loop = self.worker.loop  # a process would end here: what it has killed is heard of no more
        turn_until(loop, lambda: not self.worker.executor.pool.runners)
        loop.close()

    def _serves(self, name: str) -> bool:
        found = self.life.connection.run(read_manifests()).get(name)
        manifest = None if found is None else decode_manifest(found)
        return manifest is not None and not manifest.is_loading and manifest.error is None
