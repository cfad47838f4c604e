"""Write the output and events of running attempts, many of them in one round trip.

    idle ──event──► due at a time ──timer──► writing ──replies──► idle, or due again

An event is due at once, or 20 ms after the last write. Output is due 50 ms later: most functions
that print end before that, and their output is then written with the settlement, at no extra round
trip. While Redis is away, what is left is sent again every 0.25 s (`event_buffer.py`).
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
from runtime.store.reconnection import AWAY_PAUSE_S
from runtime.worker.event_buffer import EventBuffer

_log = structlog.get_logger(__name__)
_PACE_S = 0.02
_OUTPUT_PATIENCE_S = 0.05
_MOST_AT_ONCE = 32
_NEVER = float("inf")


class EventWriter:
    """Writes the event buffers of one worker process.

    Runs in the loop thread, except `buffer_of` and `_on_note`. They also run in the threads of
    attempts, which may be interrupted at any point (isolation="thread"), so what both sides touch
    is under a plain lock, and nobody waits while holding it.

    Args:
        loop: The worker's loop.
        connection: The connection to write on.
        most_bytes: Most bytes that are kept of one invocation's events.
    """

    def __init__(
        self, loop: Loop, connection: LoopConnection, *, most_bytes: int = MOST_BYTES
    ) -> None:
        self._loop = loop
        self._connection = connection
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._due: dict[EventBuffer, float] = {}  # when to write; any thread, under the lock
        self._wakes_at = _NEVER  # next write, -1 while writing; any thread, under the lock
        self._timer: Timer | None = None  # loop thread
        self._free_at = 0.0  # earliest next write; set by the loop thread, read by any
        self._is_away = False  # loop thread

    def buffer_of(self, attempt: Attempt) -> EventBuffer:
        """Return the event buffer of an attempt. Safe to call from any thread."""
        with self._lock:
            pending_events = attempt.pending_events
            if pending_events is None:
                pending_events = attempt.pending_events = EventBuffer(
                    attempt.claimed, on_note=self._on_note, most_bytes=self._most_bytes
                )
        assert isinstance(pending_events, EventBuffer)  # noqa: S101 - for the type checker
        return pending_events

    def _on_note(self, pending_events: EventBuffer, kind: str) -> None:
        """Have a buffer written in time. Runs in the thread that called `put`."""
        now = time.monotonic()
        due_at = now + _OUTPUT_PATIENCE_S if kind == "log" else max(now, self._free_at)
        if self._due.get(pending_events, _NEVER) <= due_at:
            return  # the write takes what is in the buffer by then, so this event too
        with self._lock:
            self._due[pending_events] = due_at
            is_sooner = due_at < self._wakes_at
            if is_sooner:
                self._wakes_at = due_at
        if is_sooner:
            self._loop.call_soon_threadsafe(self._sleep)

    def _sleep(self) -> None:
        """Write now if a buffer is due, else set the timer to the first that will be."""
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
        """Send what is due. Nothing more is sent until Redis has replied."""
        now = time.monotonic()
        with self._lock:
            chosen = [t for t, due_at in self._due.items() if due_at <= now][:_MOST_AT_ONCE]
            for pending_events in chosen:
                del self._due[pending_events]
            self._wakes_at = -1.0  # `_on_note` need not wake the loop: `_sleep` follows the replies
        try:
            taken = [
                (pending_events, call)
                for pending_events in chosen
                if (call := pending_events.take()) is not None
            ]
        except Exception:  # the loop logs it; the other buffers must still be written
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

        for pending_events, call in taken:  # leave in one write; each may fail alone
            self._connection.run(call, partial(take, pending_events))

    def _written(self, replies: Mapping[EventBuffer, bool | StoreError]) -> None:
        failures = [reply for reply in replies.values() if isinstance(reply, StoreError)]
        was_away, self._is_away = self._is_away, len(failures) == len(replies)
        now = time.monotonic()
        self._free_at = now + (AWAY_PAUSE_S if self._is_away else _PACE_S)
        left: dict[EventBuffer, float] = {}
        for pending_events, reply in replies.items():
            if isinstance(reply, StoreError):
                if pending_events.written(reply=None):
                    left[pending_events] = now + AWAY_PAUSE_S
            elif pending_events.written(reply=reply):
                left[pending_events] = self._free_at
        with self._lock:
            for pending_events, due_at in left.items():
                self._due[pending_events] = min(self._due.get(pending_events, _NEVER), due_at)
        self._sleep()
        if failures and not was_away:
            _log.warning("telling_waits", reason=str(failures[0]))
