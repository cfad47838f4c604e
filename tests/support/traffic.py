"""Callers, workers, senders and sweepers at work in threads, as fast as they can."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runtime.errors import StoreError
from runtime.store import delivery_commands as deliveries
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import cancel, release
from runtime.store.retention_commands import sweep
from tests.support.check_scene import CALLBACK, HOUR_MS, batch_of
from tests.support.life import Life


class Traffic:
    """Callers and workers at work in threads until told to stop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.errors: list[BaseException] = []
        self.ended = 0
        self._threads = [
            threading.Thread(target=self._run, args=(work,))
            for work in (self._call, self._call, self._work, self._work, self._cancel, self._sweep)
        ]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, work: Callable[[Life, int], None]) -> None:
        life, turn = Life(BlockingConnection(self._url)), 0
        try:
            while not self._stop.is_set():
                turn += 1
                work(life, turn)
        except (StoreError, AssertionError, TypeError) as error:
            self.errors.append(error)
        finally:
            life.connection.close()

    def _call(self, life: Life, turn: int) -> None:
        call_options = [
            {"key": f"k{turn % 50}"},
            {"delay_ms": 5, "max_age_ms": 20},
            {"callback": CALLBACK, "max_age_ms": 5},
            {"priority": turn % 10, "tags": ("t",)},
        ]
        for wish in call_options:
            life.submit(f"f{turn % 7}", **wish)
        if turn % 20 == 0:
            batch_of(life, 10)

    def _work(self, life: Life, turn: int) -> None:
        statuses = ("succeeded", "failed", "retrying", "lost", "succeeded")
        for at, item in enumerate(life.claim(16, worker="w", lease_ms=HOUR_MS).items):
            if at % 6 == 5:
                life.connection.run(release([(item.id, item.token, True)], worker="w"))
            else:
                life.settle(item, statuses[at % 5], retry_after_ms=3)
                self.ended += 1
        if turn % 10 == 0:
            life.beat(worker="w")

    def _cancel(self, life: Life, turn: int) -> None:
        life.connection.run(cancel(life.submit(f"f{turn % 7}", key=f"k{turn % 50}")))
        claim = deliveries.claim(free=50, limit=8, lease_ms=1_000, most_steps=9)
        for item in life.connection.run(claim).items:
            life.connection.run(
                deliveries.settle(
                    delivery_id=item.id,
                    attempt=item.attempt,
                    next_status="delivered" if turn % 3 else "pending",
                    retry_in_ms=5,
                    pace="quick",
                    entry=b"{}",
                )
            )

    def _sweep(self, life: Life, _: int) -> None:
        life.connection.run(sweep())
