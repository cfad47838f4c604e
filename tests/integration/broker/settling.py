"""A settler that a test turns, and attempts for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runtime.broker.attempt import Attempt
from runtime.broker.settler import Settler
from runtime.invocations.status import Status
from runtime.loop import Loop
from runtime.store.event_commands import Entry, append_events, read_events
from runtime.store.invocation_commands import Claimed, Settlement
from runtime.store.loop_connection import LoopConnection
from runtime.store.scripts import Command
from tests.support.life import Life
from tests.support.loop_thread import turn_until


class Settling:
    """A settler turned by the test, and what it is done with."""

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self.loop = Loop()
        self.connection = LoopConnection(url, self.loop, timeout_s=timeout_s)
        self.over: list[Attempt] = []
        self.settler = Settler(self.loop, self.connection, "w1", self._take_over)
        self.on_over: Callable[[], object] = lambda: None

    def settle(self, attempt: Attempt, result: bytes = b"1", status: str = "succeeded") -> None:
        claimed = attempt.claimed
        ending = Settlement(
            id=claimed.id, token=claimed.token, status=status, ttl_ms=60_000, result=result
        )
        self.settler.settle(attempt, ending)

    def wait_for(self, *attempts: Attempt, within_s: float = 5.0) -> None:
        turn_until(self.loop, lambda: set(attempts) <= set(self.over), within_s=within_s)

    def close(self) -> None:
        self.connection.close()
        self.loop.close()

    def _take_over(self, attempts: Sequence[Attempt]) -> None:
        self.over += attempts
        self.on_over()


def claim(life: Life, count: int = 1) -> list[Attempt]:
    for _ in range(count):
        life.submit()
    return [Attempt(claimed, "default") for claimed in life.claim(count).items]


def statuses(life: Life, attempts: Sequence[Attempt]) -> set[Status]:
    return {life.read(attempt.claimed.id).status for attempt in attempts}


class Words:
    """What an attempt has told and nobody has written: items."""

    def __init__(self, claimed: Claimed, *items: bytes) -> None:
        self.claimed = claimed
        self.items = items
        self.asked: list[bool] = []

    def last_words(self, *, is_final: bool) -> list[Command[bool]]:
        self.asked.append(is_final)
        entries = [
            Entry(number=number, kind="item", data=item)
            for number, item in enumerate(self.items, start=1)
        ]
        one = self.claimed
        return [append_events(one.id, one.token, entries, worker="w1", most_bytes=10**6)]


def items(life: Life, attempt: Attempt) -> list[bytes]:
    found = life.connection.run(read_events(attempt.claimed.id, most_bytes=10**6)).entries
    return [entry.data for _, entry in found]
