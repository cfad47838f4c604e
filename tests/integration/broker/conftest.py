"""A worker's broker side on its loop, its attempts run by a test's own callable."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from runtime.broker.attempt import Attempt
from runtime.broker.claimer import ClaimCapacity, Claimer
from runtime.broker.in_flight import InFlight
from runtime.broker.settler import Settler
from runtime.loop import Loop
from runtime.store.invocation_commands import Settlement
from runtime.store.loop_connection import LoopConnection
from tests.integration.broker.claiming import Claiming
from tests.integration.broker.settling import Settling
from tests.support.loop_thread import LoopThread


class BrokerSide:
    """Claims, settles and gives back for attempts that a callable runs in threads.

    An attempt that is left without a settlement goes back.

    Attributes:
        rooms: How many of a function may be taken ahead of the places, by name.
    """

    def __init__(
        self,
        url: str,
        run: Callable[[Attempt], None],
        *,
        capacity: int,
        name: str = "w1",
        lease_ms: int = 10_000,
    ) -> None:
        loop = Loop()
        self.on_loop = LoopThread(loop)
        self.in_flight = InFlight()
        self.rooms: Mapping[str, int] = {}
        self.most_held = 0
        self._places = capacity
        self._run = run
        self._threads = ThreadPoolExecutor(capacity)
        self._connection = LoopConnection(url, loop)
        self.settler = Settler(loop, self._connection, name, on_over=self._let_go)
        self.claimer = Claimer(
            loop,
            LoopConnection(url, loop),
            worker=name,
            lease_ms=lease_ms,
            room=self._room,
            take=self._take,
        )

    def start(self, queues: Sequence[str] = ("default",)) -> None:
        self.on_loop.start()
        self.serve(*queues)

    def serve(self, *queues: str) -> None:
        self.on_loop.do(lambda: self.claimer.serve(queues))

    def stop(self) -> None:
        """Let what runs come to its end, and stop."""
        is_empty = threading.Event()
        stop = partial(self.claimer.stop, lambda: self.in_flight.when_empty(is_empty.set))
        self.on_loop.do(stop)
        is_empty.wait(5)
        self._threads.shutdown(wait=False)
        self.on_loop.do(self._connection.close)
        self.on_loop.do(self.claimer.close)
        self.on_loop.stop()
        assert is_empty.is_set()

    def _room(self) -> ClaimCapacity:
        capacity = max(0, self._places - len(self.in_flight))
        return ClaimCapacity(capacity, self.rooms, sum(self.rooms.values()))

    def _take(self, attempts: Sequence[Attempt]) -> None:
        self.in_flight.hold(attempts)
        self.most_held = max(self.most_held, len(self.in_flight))
        for attempt in attempts:
            self._threads.submit(self._run_one, attempt)

    def _run_one(self, attempt: Attempt) -> None:
        attempt.is_begun = True
        self._run(attempt)
        self.on_loop.loop.call_soon_threadsafe(partial(self._ended, attempt))

    def _ended(self, attempt: Attempt) -> None:
        if attempt.settlement is None:
            self.settler.requeue(attempt)
        else:
            self.settler.settle(attempt, attempt.settlement)

    def _let_go(self, attempts: Sequence[Attempt]) -> None:
        self.in_flight.drop(attempts)
        self.claimer.look(has_more_room=True)


@contextmanager
def broker_side(
    url: str,
    run: Callable[[Attempt], None],
    *,
    capacity: int = 2,
    rooms: Mapping[str, int] | None = None,
    queues: Sequence[str] = ("default",),
    name: str = "w1",
    lease_ms: int = 10_000,
) -> Iterator[BrokerSide]:
    """Serve queues until the block ends; then what runs comes to its end."""
    side = BrokerSide(url, run, capacity=capacity, name=name, lease_ms=lease_ms)
    side.rooms = rooms or {}
    side.start(queues)
    try:
        yield side
    finally:
        side.stop()


def succeed(attempt: Attempt) -> None:
    """Run an attempt that gives back its arguments."""
    attempt.settlement = Settlement(
        id=attempt.claimed.id,
        token=attempt.claimed.token,
        status="succeeded",
        ttl_ms=60_000,
        result=attempt.claimed.arguments,
    )


@pytest.fixture
def claiming(redis_url: str) -> Iterator[Claiming]:
    made = Claiming(redis_url)
    yield made
    made.claimer.close()
    made.loop.close()


@pytest.fixture
def settling(redis_url: str) -> Iterator[Settling]:
    made = Settling(redis_url)
    yield made
    made.close()
