"""The jobs of a worker's upkeep: what it does besides its attempts, all on one connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runtime.registry.folder_comparison import INTERVAL_S as LOOK_EVERY_S
from runtime.registry.folder_comparison import Onlooker
from runtime.schedules.ticker import Ticker
from runtime.settings import Settings
from runtime.store import check_commands, schedule_commands
from runtime.store.blocking_connection import Line
from runtime.worker.checker import Checker
from runtime.worker.maintenance import Job
from runtime.worker.memory_usage import MemoryUse
from runtime.worker.queue_cleanup import Housekeeper
from runtime.worker.retention import Sweeper
from runtime.worker.stray_messages import StrayMail
from runtime.worker.take_over import TakeOver
from runtime.worker.thread_preload import ThreadPreload


def upkeep_jobs(
    line: Line,
    settings: Settings,
    *,
    worker: str,
    onlooker: Onlooker,
    memory: MemoryUse,
    is_publishing: Callable[[], bool],
    queues: Callable[[], Sequence[str]],
) -> list[Job]:
    """Return the jobs.

    Args:
        line: The connection that all of them use.
        settings: Of the worker process.
        worker: This worker's id.
        onlooker: Looks at the functions folder; has looked once when the jobs begin.
        memory: Measures how much this worker holds.
        is_publishing: Whether this worker is the one that publishes.
        queues: Returns the queues that this worker serves.
    """
    ticker = Ticker(line, max_waiting=settings.max_waiting)
    take_over = TakeOver(line, lease_ms=settings.lease_ms, interval_s=settings.heartbeat_ms / 1000)
    checker = Checker(line, worker=worker)
    return [
        Job(
            name="ticker",
            step=ticker.step,
            wake_key=schedule_commands.wake_key(line.keys),
            is_punctual=True,
        ),
        Job(name="take_over", step=take_over.step),
        Job(name="sweeper", step=Sweeper(line, worker).step),
        Job(
            name="checker",
            step=checker.step,
            wake_key=check_commands.wake_key(line.keys),
            give_up=checker.give_up,
        ),
        Job(name="housekeeper", step=Housekeeper(line, is_publishing).step),
        Job(name="memory", step=memory.step),
        Job(name="thread_preload", step=ThreadPreload(line).step),
        Job(name="onlooker", step=onlooker.step, first_after_s=LOOK_EVERY_S),
        Job(
            name="stray_mail",
            step=StrayMail(line, queues).step,
            first_after_s=LOOK_EVERY_S,
        ),
    ]
