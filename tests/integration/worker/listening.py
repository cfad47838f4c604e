"""Attempts that tell, on a worker's loop; what Redis has heard of them, and ending them."""

from __future__ import annotations

import threading

from runtime.broker.attempt import Attempt
from runtime.broker.settler import Settler
from runtime.loop import Loop
from runtime.store.event_commands import MOST_BYTES, read_events
from runtime.store.invocation_commands import Claimed, Settlement
from runtime.store.loop_connection import LoopConnection
from runtime.worker.event_buffer import EventBuffer
from runtime.worker.event_writer import EventWriter
from tests.support.life import WEEK_MS, Life
from tests.support.loop_thread import LoopThread


class Hearing:
    """An event writer and a settler on one connection; their loop runs in a thread."""

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self.on_loop = LoopThread(Loop())
        loop = self.on_loop.loop
        self._connection = LoopConnection(url, loop, timeout_s=timeout_s)
        self.event_writer = EventWriter(loop, self._connection)
        self._attempts: dict[EventBuffer, Attempt] = {}
        self._over: dict[Attempt, threading.Event] = {}
        self._settler = Settler(loop, self._connection, "w1", on_over=self._let_go)
        self.on_loop.start()

    def listen(self, claimed: Claimed) -> EventBuffer:
        """Return what an attempt tells to; it is written as it comes."""
        attempt = Attempt(claimed, "default")
        pending_events = self.event_writer.buffer_of(attempt)
        assert self.event_writer.buffer_of(attempt) is pending_events
        self._attempts[pending_events] = attempt
        return pending_events

    def settle(self, pending_events: EventBuffer, status: str = "succeeded") -> None:
        """End an attempt as a worker does, and wait until that is written."""
        attempt = self._attempts[pending_events]
        self._over[attempt] = threading.Event()
        self.on_loop.do(lambda: self._settler.settle(attempt, _ending(attempt.claimed, status)))
        assert self._over[attempt].wait(10)

    def settle_silent(
        self, claimed: Claimed, pending_events: EventBuffer, status: str = "succeeded"
    ) -> None:
        """End an attempt whose telling nobody writes."""
        attempt = Attempt(claimed, "default")
        attempt.pending_events = pending_events
        self._attempts[pending_events] = attempt
        self.settle(pending_events, status)

    def stop(self) -> None:
        self.on_loop.do(self._connection.close)
        self.on_loop.stop()

    def _let_go(self, attempts: list[Attempt]) -> None:
        for attempt in attempts:
            self._over[attempt].set()


def silent(claimed: Claimed) -> EventBuffer:
    """Return a telling that nobody writes by himself."""
    return EventBuffer(claimed, on_note=lambda *_: None, most_bytes=MOST_BYTES)


def events(life: Life, claimed: Claimed) -> list[tuple[str, bytes]]:
    found = life.connection.run(read_events(claimed.id, most_bytes=10**9)).entries
    return [(entry.kind, entry.data) for _, entry in found]


def numbers(life: Life, claimed: Claimed) -> list[int]:
    found = life.connection.run(read_events(claimed.id, most_bytes=10**9)).entries
    return [entry.number for _, entry in found]


def _ending(claimed: Claimed, status: str) -> Settlement:
    return Settlement(
        id=claimed.id, token=claimed.token, status=status, ttl_ms=WEEK_MS, logs=b"line\n"
    )
