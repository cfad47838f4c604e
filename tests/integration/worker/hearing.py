"""What Redis has heard of an attempt, and ending one as a worker does."""

from __future__ import annotations

from runtime.broker.attempt import Attempt
from runtime.broker.holdings import Holdings
from runtime.broker.settler import Settler
from runtime.broker.work_queue import WorkQueue
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
    holdings = Holdings(1)
    attempt = Attempt(claimed)
    attempt.last_words = lambda is_final: telling.last_words(is_final=is_final)
    settlement = Settlement(
        id=claimed.id, token=claimed.token, status=status, ttl_ms=WEEK_MS, logs=b"line\n"
    )
    settler = Settler(Line(url), holdings, WorkQueue())
    settler.settle(attempt, settlement)
    settler.close()
