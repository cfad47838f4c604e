"""The ticker of a worker process: fires what is due, whoever else ticks too.

Every worker has one. It blocks in Redis until shortly before the next moment, so at
rest it asks once in a few seconds; who makes a schedule wakes one ticker. Tickers do not
know of each other: a script fires each moment once, for the first who asks.
"""

from __future__ import annotations

import contextlib
import threading

import msgspec
import structlog

from runtime.errors import FunctionUnavailableError, StoreError
from runtime.invocations.identifiers import new_invocation_id
from runtime.registry.manifest import decode_manifest
from runtime.schedules.cron import read_cron
from runtime.schedules.shape import shape_of
from runtime.schedules.ticking import decide
from runtime.store.line import Line
from runtime.store.schedule_calls import (
    Agenda,
    DueSchedule,
    Fate,
    Shape,
    read_agenda,
    tick_schedule,
    wake_key,
    wake_ticker,
)
from runtime.store.scripts import Call
from runtime.telemetry.lasting import lasting_thread

_log = structlog.get_logger(__name__)
LONGEST_BLOCK_S = 6.0
"""So long at most is a moment late if the ticker dies that was woken for it."""
_EARLY_S = 0.15
"""Redis ends a block up to 100 ms late; the rest is waited for here."""
_SHORTEST_BLOCK_S = 0.1
_AWAY_PAUSE_S = 0.25
_MOST_AT_ONCE = 100
_MOST_NOTED = 100
_UNREADABLE_PAUSE_MS = 60_000
_JOIN_S = 0.2
_MOST_JOINS = 25


class Ticker:
    """Ticks from `start` until `stop`.

    Args:
        line: A connection of its own, since it blocks.
        max_waiting: Most waiting invocations of a function without its own limit; 0: any.
    """

    def __init__(self, line: Line, *, max_waiting: int = 0) -> None:
        self._line = line
        self._max_waiting = max_waiting
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_away = False

    def start(self) -> None:
        """Begin, in a thread of its own; safe to call twice."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = lasting_thread(self._tick_for_ever, name="ticker")
            self._thread.start()

    def stop(self) -> None:
        """Stop; safe to call twice."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        for _ in range(_MOST_JOINS):
            self._line.close()  # ends a block
            thread.join(_JOIN_S)
            if not thread.is_alive():
                break

    def _tick_for_ever(self) -> None:
        while not self._stopping.is_set():
            try:
                self._turn()
                self._is_away = False
            except StoreError as error:
                self._tell_away(error)
                self._stopping.wait(_AWAY_PAUSE_S)
            except Exception:  # noqa: BLE001 - outermost: the ticker must go on
                _log.exception("ticker_failed")
                self._stopping.wait(_AWAY_PAUSE_S)
        # A token may have been on its way to us; another ticker shall have it.
        with contextlib.suppress(StoreError):
            self._line.run(wake_ticker(self._line.keys))
        self._line.close()

    def _turn(self) -> None:
        """Fire what is due; when nothing is, wait until something is or may be."""
        agenda = self._line.run(read_agenda(most=_MOST_AT_ONCE))
        if agenda.due:
            self._fire(agenda)
            return
        wait_s = LONGEST_BLOCK_S if agenda.wait_ms is None else agenda.wait_ms / 1000
        block_s = min(wait_s - _EARLY_S, LONGEST_BLOCK_S)
        if block_s >= _SHORTEST_BLOCK_S:
            self._line.block([wake_key(self._line.keys)], timeout_s=block_s)
        else:
            self._stopping.wait(wait_s)

    def _fire(self, agenda: Agenda) -> None:
        decided = [(schedule, self._tick(schedule, agenda.now_ms)) for schedule in agenda.due]
        fates = self._line.run_many([call for _, call in decided])
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

    def _tick(self, schedule: DueSchedule, now_ms: int) -> Call[list[Fate]]:
        try:
            cron = read_cron(schedule.cron, schedule.timezone)
        except ValueError as error:
            # Made by a process that knows more time zones; perhaps this one will, too.
            _log.warning("schedule_unreadable", schedule=schedule.id, error=str(error))
            later_ms = now_ms + _UNREADABLE_PAUSE_MS
            return tick_schedule(
                schedule, since_ms=schedule.since_ms, following_ms=later_ms, shape=Shape()
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

    def _shape(self, schedule: DueSchedule) -> Shape:
        if not schedule.manifest:
            return Shape()
        try:
            return shape_of(decode_manifest(schedule.manifest), max_waiting=self._max_waiting)
        except (FunctionUnavailableError, msgspec.MsgspecError):
            return Shape()

    def _tell_away(self, error: StoreError) -> None:
        if not self._is_away and not self._stopping.is_set():
            self._is_away = True
            _log.warning("ticker_store_is_away", error=str(error))
