"""A thread lane on a real event loop in a thread of its own, driven by a test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from msgspec.structs import replace

from runtime.execution.assignment import Assignment, Outcome
from runtime.execution.run_times import RunTimes
from runtime.execution.thread_backend import ThreadBackend
from runtime.execution.thread_run import ThreadRun
from tests.integration.execution.bench import outcome_of
from tests.integration.execution.written import LIMITS, Written, write
from tests.support.waiting import eventually

T = TypeVar("T")
# Tests hold calls by what they bind here: functions of the lane run in this process.
HELD: dict[str, threading.Event] = {}
HOLDING = f"""
import threading
from {__name__} import HELD
def f(hold: str = ""):
    if hold:
        HELD[hold + " begun"].set()
        HELD[hold].wait(10)
    return threading.get_ident()
"""


class LaneBench:
    """Hands attempts to a lane on its loop's thread, and keeps what comes back."""

    def __init__(self, size: int = 2, *, idle_s: float = 10.0) -> None:
        self.frames: list[tuple[str, str, bytes]] = []
        self.groups: list[Sequence[ThreadRun]] = []
        self.run_times = RunTimes()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop")
        self._thread.start()
        self._timer: asyncio.TimerHandle | None = None
        self.lane = ThreadBackend(
            size,
            post=self._loop.call_soon_threadsafe,
            call_later=self._call_later,
            on_ended=self._keep,
            run_times=self.run_times,
            idle_s=idle_s,
        )

    @property
    def ended(self) -> list[ThreadRun]:
        """All that came back, in order."""
        return [run for group in self.groups for run in group]

    def is_looked_after(self) -> bool:
        """Whether the lane has the loop look after it some time later."""
        timer = self._timer
        return timer is not None and not timer.cancelled() and timer.when() > self._loop.time()

    def on_loop(self, act: Callable[[], T]) -> T:
        """Do something on the loop's thread; return what came of it."""

        async def do() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(do(), self._loop).result(10)

    def make(self, written: Written, arguments: bytes = b"{}", **changes: object) -> ThreadRun:
        assignment = Assignment(
            id="i1", function="f", version=written.bundle.version, attempt=1, arguments=arguments
        )
        assignment = replace(assignment, **changes)
        return ThreadRun(
            assignment=assignment,
            manifest=written.manifest,
            bundle=written.bundle,
            limits=LIMITS,
            on_note=lambda kind, data: self.frames.append((assignment.id, kind, data)),
            attempt=threading.Event(),
        )

    def submit(self, runs: Iterable[ThreadRun]) -> None:
        """Hand over attempts, all in one turn of the loop."""
        self.on_loop(lambda: [self.lane.submit(run) for run in runs])

    def submit_one(
        self, written: Written, arguments: bytes = b"{}", **changes: object
    ) -> ThreadRun:
        run = self.make(written, arguments, **changes)
        self.submit([run])
        return run

    def wait(self, *runs: ThreadRun) -> None:
        """Wait until these attempts have come back."""
        for run in runs:
            assert isinstance(run.attempt, threading.Event)
            assert run.attempt.wait(10), f"{run.assignment} has not ended"

    def run(self, written: Written, arguments: bytes = b"{}", **changes: object) -> Outcome:
        """Run one attempt to its end."""
        run = self.submit_one(written, arguments, **changes)
        self.wait(run)
        return outcome_of(run)

    def cancel(self, run: ThreadRun, *, by_caller: bool = False) -> bool:
        return self.on_loop(lambda: self.lane.cancel(run, by_caller=by_caller))

    def take_back(self, run: ThreadRun) -> bool:
        return self.on_loop(lambda: self.lane.take_back(run))

    def count(self) -> int:
        return self.on_loop(self.lane.count)

    def make_quick(self, written: Written, arguments: bytes = b"{}") -> None:
        """Have the lane know a function as a quick one."""
        for _ in range(4):
            self.run(written, arguments)
        for _ in range(50):
            self.run_times.note("f", written.bundle.version, 0.00002)
        self.groups.clear()

    def stop(self) -> None:
        self.on_loop(self.lane.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        eventually(lambda: not lane_threads(), within_s=10)

    def _call_later(self, seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        self._timer = self._loop.call_later(seconds, act)
        return self._timer

    def _keep(self, ended: Sequence[ThreadRun]) -> None:
        self.groups.append(ended)
        for run in ended:
            assert isinstance(run.attempt, threading.Event)
            run.attempt.set()


@contextmanager
def lanes() -> Iterator[Callable[..., LaneBench]]:
    """Make lanes, and stop them at the end."""
    made: list[LaneBench] = []

    def make(size: int = 4, **options: float) -> LaneBench:
        made.append(LaneBench(size, **options))
        return made[-1]

    yield make
    for event in HELD.values():
        event.set()
    for bench in made:
        bench.stop()
    HELD.clear()


def threaded(source: str, **options: object) -> Written:
    """Publish a function of the lane."""
    return write(source, isolation="thread", **options)


def hold(name: str) -> bytes:
    """Return the arguments of a call of `HOLDING` that goes on when told to."""
    HELD[name], HELD[name + " begun"] = threading.Event(), threading.Event()
    return b'{"hold":"%s"}' % name.encode()


def has_begun(name: str) -> None:
    assert HELD[name + " begun"].wait(10)


def go_on(name: str) -> None:
    HELD[name].set()


def lane_threads() -> list[threading.Thread]:
    """Return the threads of lanes in this process."""
    return [thread for thread in threading.enumerate() if thread.name == "lane"]
