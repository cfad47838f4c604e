"""Jobs of a worker's upkeep, in a thread of their own as in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime.schedules.ticker import Ticker
from runtime.store import check_commands, schedule_commands
from runtime.store.blocking_connection import Line
from runtime.worker.checker import Checker
from runtime.worker.maintenance import Job, Upkeep
from runtime.worker.retention import Sweeper
from runtime.worker.thread_preload import ThreadPreload

MakeJob = Callable[[Line], Job]


def upkeep_of(url: str, *makes: MakeJob) -> Upkeep:
    """Return an upkeep of these jobs, not started yet."""
    line = Line(url)
    return Upkeep([make(line) for make in makes], line=line, waiting=Line(url))


@contextmanager
def keeping_up(url: str, *makes: MakeJob) -> Iterator[Upkeep]:
    """Run an upkeep of these jobs while the block runs."""
    upkeep = upkeep_of(url, *makes)
    upkeep.start()
    try:
        yield upkeep
    finally:
        upkeep.stop()


def ticker(line: Line) -> Job:
    """Return the job of a ticker."""
    wake_key = schedule_commands.wake_key(line.keys)
    return Job(name="ticker", step=Ticker(line).step, wake_key=wake_key, is_punctual=True)


def checker(worker: str) -> MakeJob:
    """Return what makes the job of a worker's checker."""

    def make(line: Line) -> Job:
        one = Checker(line, worker=worker)
        wake_key = check_commands.wake_key(line.keys)
        return Job(name="checker", step=one.step, wake_key=wake_key, give_up=one.give_up)

    return make


def sweeper(worker: str) -> MakeJob:
    """Return what makes the job of a worker's sweeper."""
    return lambda line: Job(name="sweeper", step=Sweeper(line, worker).step)


def thread_preload(line: Line) -> Job:
    """Return the job that looks for functions of the thread lane."""
    return Job(name="thread_preload", step=ThreadPreload(line).step)
