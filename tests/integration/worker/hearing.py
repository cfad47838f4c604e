"""What Redis has heard of an attempt, and ending one as a worker does."""

from __future__ import annotations

from runtime.broker.attempt import Attempt
from runtime.broker.worker_side import WorkerSide
from runtime.store.event_calls import read_events
from runtime.store.invocation_calls import Settlement
from runtime.store.line import Line
from tests.support.life import WEEK_MS, Life


def events(life: Life, claimed) -> list[tuple[str, bytes]]:
    found = life.line.run(read_events(claimed.id, most_bytes=10**9)).entries
    return [(entry.kind, entry.data) for _, entry in found]


def numbers(life: Life, claimed) -> list[int]:
    found = life.line.run(read_events(claimed.id, most_bytes=10**9)).entries
    return [entry.number for _, entry in found]


def settle(url: str, claimed, telling, status: str = "succeeded") -> None:
    attempt = Attempt(claimed, "default")
    attempt.last_words = lambda is_final: telling.last_words(is_final=is_final)
    settlement = Settlement(
        id=claimed.id, token=claimed.token, status=status, ttl_ms=WEEK_MS, logs=b"line\n"
    )
    side = WorkerSide(Line(url), worker="w1", lease_ms=10_000, places=1)
    side.settler.settle(attempt, settlement)
    side.settler.write()
    side.close()
