"""The ticker of a worker: it fires the moments of schedules that are due.

Every worker has one. It rests until the next moment, for 6 s at most; a token wakes one ticker when
a schedule is created or changed. Tickers do not coordinate: a script fires each moment once, for
the first ticker that sends it. If a worker is killed before that, another ticker fires the moment.
"""

from __future__ import annotations

import msgspec
import structlog

from runtime.errors import FunctionUnavailableError
from runtime.invocations.ids import new_invocation_id
from runtime.registry.manifest_codec import decode_manifest
from runtime.schedules.cron import read_cron
from runtime.schedules.due import decide, target_of
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.schedule_commands import (
    DueSchedule,
    DueSchedules,
    Fate,
    ScheduleTarget,
    read_agenda,
    tick_schedule,
)
from runtime.store.scripts import Command

_log = structlog.get_logger(__name__)
LONGEST_WAIT_S = 6.0
"""How late a moment may be if the worker that was woken for it is killed."""
_MOST_AT_ONCE = 100
_MOST_NOTED = 100
_UNREADABLE_PAUSE_MS = 60_000


class Ticker:
    """Fires due moments, in the maintenance thread.

    Args:
        connection: The connection of the maintenance thread.
        max_waiting: Most waiting invocations of a function without its own limit; 0 for no limit.
    """

    def __init__(self, connection: BlockingConnection, *, max_waiting: int = 0) -> None:
        self._connection = connection
        self._max_waiting = max_waiting

    def step(self) -> float:
        """Fire what is due; return the seconds until the next step.

        Raises:
            StoreError: Redis is away.
        """
        agenda = self._connection.run(read_agenda(most=_MOST_AT_ONCE))
        if agenda.due:
            self._fire(agenda)
            return 0.0
        wait_s = LONGEST_WAIT_S if agenda.wait_ms is None else agenda.wait_ms / 1000
        return min(wait_s, LONGEST_WAIT_S)

    def _fire(self, agenda: DueSchedules) -> None:
        decided = [(schedule, self._tick(schedule, agenda.now_ms)) for schedule in agenda.due]
        fates = self._connection.run_many([call for _, call in decided])
        for (schedule, _), each in zip(decided, fates, strict=True):
            for fate in dict.fromkeys(each):
                if fate not in {"NEW", "LATE"}:
                    _log.info(
                        "schedule_skipped",
                        schedule=schedule.id,
                        function=schedule.function,
                        reason=fate,
                        count=each.count(fate),
                    )

    def _tick(self, schedule: DueSchedule, now_ms: int) -> Command[list[Fate]]:
        try:
            cron = read_cron(schedule.cron, schedule.timezone)
        except ValueError as error:
            # Created by a process that knows more time zones. Others may know it, so try later.
            _log.warning("schedule_unreadable", schedule=schedule.id, error=str(error))
            later_ms = now_ms + _UNREADABLE_PAUSE_MS
            return tick_schedule(
                schedule, since_ms=schedule.since_ms, following_ms=later_ms, shape=ScheduleTarget()
            )
        decision = decide(
            cron, since_ms=schedule.since_ms, now_ms=now_ms, catch_up=schedule.catch_up
        )
        noted = decision.missed[-_MOST_NOTED:]
        return tick_schedule(
            schedule,
            since_ms=decision.since_ms,
            following_ms=decision.next_ms,
            shape=self._shape(schedule),
            missed=len(decision.missed) - len(noted),
            moments=[
                *((at, "") for at in noted),
                *((at, new_invocation_id()) for at in decision.fire),
            ],
        )

    def _shape(self, schedule: DueSchedule) -> ScheduleTarget:
        if not schedule.manifest:
            return ScheduleTarget()
        try:
            return target_of(decode_manifest(schedule.manifest), max_waiting=self._max_waiting)
        except (FunctionUnavailableError, msgspec.MsgspecError):
            return ScheduleTarget()
