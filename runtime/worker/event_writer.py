"""Writes what running attempts tell, many of them in one round trip.

What is told is written at once when the last writing is a while ago, else together with what comes
meanwhile; output alone waits a little longer, because most functions that print end soon and then
cost no round trip of their own. An attempt that tells nothing costs nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import partial

import structlog

from runtime.broker.attempt import Attempt
from runtime.errors import StoreError
from runtime.loop import Loop, Timer
from runtime.store.event_commands import MOST_BYTES
from runtime.store.loop_connection import LoopConnection
from runtime.worker.event_buffer import EventBuffer

_log = structlog.get_logger(__name__)
_PACE_S = 0.02
_OUTPUT_PATIENCE_S = 0.05
_AWAY_PAUSE_S = 0.25
_MOST_AT_ONCE = 32
_NEVER = float("inf")


class EventWriter:
    """The tellings of one worker process.

    Everything is done in the loop's thread, but for `buffer_of` and what a telling is given: that
    happens in threads that may be interrupted anywhere (isolation="thread"), too, so what both
    touch is under a bare lock, which nobody holds while he waits.

    Args:
        loop: The worker's.
        line: Where to write.
        most_bytes: What is kept of all that one invocation tells.
    """

    def __init__(self, loop: Loop, line: LoopConnection, *, most_bytes: int = MOST_BYTES) -> None:
        self._loop = loop
        self._line = line
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._due: dict[EventBuffer, float] = {}
        self._wakes_at = _NEVER  # when it looks again; -1 while it writes
        self._timer: Timer | None = None
        self._free_at = 0.0  # when the next writing may begin
        self._is_away = False

    def buffer_of(self, attempt: Attempt) -> EventBuffer:
        """Return the telling of an attempt; from any thread."""
        with self._lock:
            pending_events = attempt.pending_events
            if pending_events is None:
                pending_events = attempt.pending_events = EventBuffer(
                    attempt.claimed, on_note=self._on_note, most_bytes=self._most_bytes
                )
        assert isinstance(pending_events, EventBuffer)  # noqa: S101 - for the type checker
        return pending_events

    def _on_note(self, pending_events: EventBuffer, kind: str) -> None:
        """In the thread that tells."""
        now = time.monotonic()
        due_at = now + _OUTPUT_PATIENCE_S if kind == "log" else max(now, self._free_at)
        if self._due.get(pending_events, _NEVER) <= due_at:
            return  # what it takes then includes this note
        with self._lock:
            self._due[pending_events] = due_at
            is_sooner = due_at < self._wakes_at
            if is_sooner:
                self._wakes_at = due_at
        if is_sooner:
            self._loop.call_soon_threadsafe(self._sleep)

    def _sleep(self) -> None:
        """Look when the first of them is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        with self._lock:
            self._wakes_at = min(self._due.values(), default=_NEVER)
            at = self._wakes_at
        if at <= time.monotonic():
            self._write()
        elif at != _NEVER:
            self._timer = self._loop.call_at(at, self._write)

    def _write(self) -> None:
        """Write what is due, and wait for Redis's word before the next."""
        now = time.monotonic()
        with self._lock:
            chosen = [t for t, due_at in self._due.items() if due_at <= now][:_MOST_AT_ONCE]
            for pending_events in chosen:
                del self._due[pending_events]
            self._wakes_at = -1.0
        try:
            taken = [
                (pending_events, call)
                for pending_events in chosen
                if (call := pending_events.take()) is not None
            ]
        except Exception:  # of one of them; the others are told
            self._timer = self._loop.call_later(_PACE_S, self._write)
            raise
        if not taken:
            self._sleep()
            return
        replies: dict[EventBuffer, bool | StoreError] = {}

        def take(pending_events: EventBuffer, reply: bool | StoreError) -> None:  # noqa: FBT001 - as Redis says
            replies[pending_events] = reply
            if len(replies) == len(taken):
                self._written(replies)

        for pending_events, call in taken:  # in one write; one that is refused is its own concern
            self._line.run(call, partial(take, pending_events))

    def _written(self, replies: Mapping[EventBuffer, bool | StoreError]) -> None:
        failures = [reply for reply in replies.values() if isinstance(reply, StoreError)]
        was_away, self._is_away = self._is_away, len(failures) == len(replies)
        now = time.monotonic()
        self._free_at = now + (_AWAY_PAUSE_S if self._is_away else _PACE_S)
        left: dict[EventBuffer, float] = {}
        for pending_events, reply in replies.items():
            if isinstance(reply, StoreError):
                if pending_events.written(reply=None):
                    left[pending_events] = now + _AWAY_PAUSE_S
            elif pending_events.written(reply=reply):
                left[pending_events] = self._free_at
        with self._lock:
            for pending_events, due_at in left.items():
                self._due[pending_events] = min(self._due.get(pending_events, _NEVER), due_at)
        self._sleep()
        if failures and not was_away:
            _log.warning("telling_waits", reason=str(failures[0]))
