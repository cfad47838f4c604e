"""A claimer that a test turns, and what Redis shows of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runtime.broker.attempt import Attempt
from runtime.broker.claimer import ClaimCapacity, Claimer
from runtime.loop import Loop
from runtime.store.loop_connection import LoopConnection
from tests.support.life import Life
from tests.support.loop_thread import turn_until
from tests.support.redis_statistics import blocked


class Claiming:
    """A claimer turned by the test; what it takes uses up room until the test ends it."""

    def __init__(self, url: str, *, capacity: int = 100) -> None:
        self.loop = Loop()
        self.capacity = capacity
        self.rooms: dict[str, int] = {}
        self.taken: list[Attempt] = []
        self.held = 0
        self.on_take: Callable[[], object] = lambda: None
        self.claimer = Claimer(
            self.loop,
            LoopConnection(url, self.loop),
            worker="w1",
            lease_ms=10_000,
            room=lambda: ClaimCapacity(
                self.capacity - self.held, self.rooms, sum(self.rooms.values())
            ),
            take=self._take,
        )

    @property
    def ids(self) -> list[str]:
        return [attempt.claimed.id for attempt in self.taken]

    def end(self, count: int) -> None:
        """So many that were held are over."""
        self.held -= count
        self.claimer.look(has_more_room=True)

    def wait_for(self, *ids: str, within_s: float = 5.0) -> None:
        turn_until(self.loop, lambda: set(ids) <= set(self.ids), within_s=within_s)

    def park(self, life: Life) -> None:
        turn_until(self.loop, lambda: blocked(life))

    def _take(self, attempts: Sequence[Attempt]) -> None:
        assert attempts
        self.held += len(attempts)
        self.taken += attempts
        self.on_take()


def tokens(life: Life, queue: str) -> int:
    return life.command("LLEN", life.key("wake", queue))
