"""The list of a worker's maintenance tasks. All of them use one connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runtime.registry.folder_comparison import INTERVAL_S as LOOK_EVERY_S
from runtime.registry.folder_comparison import FolderComparison
from runtime.schedules.ticker import Ticker
from runtime.settings import Settings
from runtime.store import check_commands, schedule_commands
from runtime.store.blocking_connection import BlockingConnection
from runtime.worker.checker import Checker
from runtime.worker.environment_watch import EnvironmentWatch
from runtime.worker.lease_recovery import TakeOver
from runtime.worker.maintenance import MaintenanceTask
from runtime.worker.memory_usage import MemoryUse
from runtime.worker.queue_cleanup import QueueCleanup
from runtime.worker.retention import Sweeper
from runtime.worker.stray_messages import StrayMessageWarning
from runtime.worker.thread_preload import ThreadPreload


def upkeep_jobs(
    connection: BlockingConnection,
    settings: Settings,
    *,
    worker: str,
    onlooker: FolderComparison,
    memory: MemoryUse,
    is_publishing: Callable[[], bool],
    queues: Callable[[], Sequence[str]],
    environments: EnvironmentWatch | None,
) -> list[MaintenanceTask]:
    """Return the maintenance tasks of a worker.

    Args:
        connection: The connection that all tasks use.
        settings: The settings of the worker process.
        worker: This worker's id.
        onlooker: Compares the functions folder with what is published; has done so once already.
        memory: Measures the memory of this worker and its child processes.
        is_publishing: Returns whether this worker is the publisher.
        queues: Returns the queues that this worker claims from.
        environments: Has environments built and removed; None if there are none.
    """
    ticker = Ticker(connection, max_waiting=settings.max_waiting)
    take_over = TakeOver(
        connection, lease_ms=settings.lease_ms, interval_s=settings.heartbeat_ms / 1000
    )
    checker = Checker(connection, worker=worker)
    watches = [] if environments is None else [environments]
    return [
        *(MaintenanceTask(name="environments", step=watch.step) for watch in watches),
        MaintenanceTask(
            name="ticker",
            step=ticker.step,
            wake_key=schedule_commands.wake_key(connection.keys),
            is_punctual=True,
        ),
        MaintenanceTask(name="take_over", step=take_over.step),
        MaintenanceTask(name="sweeper", step=Sweeper(connection, worker).step),
        MaintenanceTask(
            name="checker",
            step=checker.step,
            wake_key=check_commands.wake_key(connection.keys),
            give_up=checker.give_up,
        ),
        MaintenanceTask(name="housekeeper", step=QueueCleanup(connection, is_publishing).step),
        MaintenanceTask(name="memory", step=memory.step),
        MaintenanceTask(name="thread_preload", step=ThreadPreload(connection).step),
        MaintenanceTask(name="onlooker", step=onlooker.step, first_after_s=LOOK_EVERY_S),
        MaintenanceTask(
            name="stray_mail",
            step=StrayMessageWarning(connection, queues).step,
            first_after_s=LOOK_EVERY_S,
        ),
    ]
