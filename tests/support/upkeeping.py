"""Jobs of a worker's upkeep, in a thread of their own as in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime.schedules.ticker import Ticker
from runtime.store import check_commands, schedule_commands
from runtime.store.blocking_connection import BlockingConnection
from runtime.worker.checker import Checker
from runtime.worker.maintenance import Maintenance, MaintenanceTask
from runtime.worker.retention import Sweeper
from runtime.worker.thread_preload import ThreadPreload

MakeJob = Callable[[BlockingConnection], MaintenanceTask]


def upkeep_of(url: str, *makes: MakeJob) -> Maintenance:
    """Return an upkeep of these jobs, not started yet."""
    connection = BlockingConnection(url)
    return Maintenance(
        [make(connection) for make in makes], connection=connection, waiting=BlockingConnection(url)
    )


@contextmanager
def keeping_up(url: str, *makes: MakeJob) -> Iterator[Maintenance]:
    """Run an upkeep of these jobs while the block runs."""
    upkeep = upkeep_of(url, *makes)
    upkeep.start()
    try:
        yield upkeep
    finally:
        upkeep.stop()


def ticker(connection: BlockingConnection) -> MaintenanceTask:
    """Return the job of a ticker."""
    wake_key = schedule_commands.wake_key(connection.keys)
    return MaintenanceTask(
        name="ticker", step=Ticker(connection).step, wake_key=wake_key, is_punctual=True
    )


def checker(worker: str) -> MakeJob:
    """Return what makes the job of a worker's checker."""

    def make(connection: BlockingConnection) -> MaintenanceTask:
        one = Checker(connection, worker=worker)
        wake_key = check_commands.wake_key(connection.keys)
        return MaintenanceTask(
            name="checker", step=one.step, wake_key=wake_key, give_up=one.give_up
        )

    return make


def sweeper(worker: str) -> MakeJob:
    """Return what makes the job of a worker's sweeper."""
    return lambda connection: MaintenanceTask(name="sweeper", step=Sweeper(connection, worker).step)


def thread_preload(connection: BlockingConnection) -> MaintenanceTask:
    """Return the job that looks for functions of the thread lane."""
    return MaintenanceTask(name="thread_preload", step=ThreadPreload(connection).step)
