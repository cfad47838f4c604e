"""The output and events of one running attempt, until they are in Redis.

    put ──► waiting ──take: numbered──► taken ──written──► gone
                                         ▲ │ no reply: taken again under the same numbers
    closed: by `last_words` (the attempt ends), or when Redis says that the lease is lost

Any thread puts; the loop thread does all else, for the event writer (`event_writer.py`) and, at the
end, the settler. An entry sent twice under one number is stored once. If the worker is killed,
what was not written is lost.
"""

from __future__ import annotations

import codecs
import threading
import time
from collections import deque
from collections.abc import Callable

from runtime.invocations.events import count_events
from runtime.store.event_commands import Entry, append_events
from runtime.store.invocation_commands import Claimed
from runtime.store.scripts import Command

MOST_WAITING_BYTES = 1024 * 1024
MOST_TAKEN_BYTES = 256 * 1024
_LARGEST_ENTRY_BYTES = 32 * 1024
_PATIENCE_S = 1.0
_LOOK_S = 0.005
_JOINED_BY = {"log": b"", "item": b"\n"}
_decoder = codecs.getincrementaldecoder("utf-8")


class _BufferedEvent:
    """One piece of output or one event. Neighbouring output and items are joined."""

    __slots__ = ("data", "kind", "size")

    def __init__(self, kind: str, data: bytes) -> None:
        self.kind = kind
        self.data = [data]
        self.size = len(data)


class EventBuffer:
    """The events of one attempt; safe to use from many threads.

    The limits on an attempt's result and output bound its items and output; of progress only the
    latest is kept. Events that come faster than they are written wait for a moment. If Redis is
    away for longer, the oldest are dropped, and a "log" entry says how many.

    `put` runs in threads that may be interrupted at any point (isolation="thread"), so it takes a
    plain lock and never waits on a condition. Fields are written under the lock. Two flags are also
    set without it: `is_closed` in `last_words`, `_is_stuck` in `_wait_for_room`. Both flags and
    `_event_bytes` are also read without it.

    Args:
        claimed: The attempt.
        on_note: Called with this buffer and the kind after each `put`, in its thread.
        most_bytes: Most bytes that are kept of one invocation's events.
    """

    def __init__(
        self, claimed: Claimed, *, on_note: Callable[[EventBuffer, str], None], most_bytes: int
    ) -> None:
        self._claimed = claimed
        self._on_note = on_note
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._is_being_written = False  # `_taken` was sent and has no reply
        self._waiting: deque[_BufferedEvent] = deque()
        self._event_bytes = 0  # of the events in `_waiting`
        self._dropped = 0  # events dropped since the last mark
        self._taken: list[Entry] = []  # numbered; sent until Redis has answered
        self._is_stuck = False  # Redis does not write: nobody waits for room
        self._number = 0  # of the last event that was taken
        self.is_closed = False
        self._decoder: codecs.IncrementalDecoder | None = None

    def put(self, kind: str, data: bytes, *, waits: bool = False) -> None:
        """Add a piece of output or an event: "log", "progress", "item" or "event".

        With `waits`, an event that finds no room waits for up to a second.
        """
        if kind == "event" and waits:
            self._wait_for_room(len(data))
        with self._lock:
            if self.is_closed:
                return
            if kind == "event":
                self._make_room(len(data))
            elif kind == "log":
                self._decoder = self._decoder or _decoder("replace")
                data = self._decoder.decode(data).encode()
            if data:
                self._add(kind, data)
        # Outside the lock: it takes the lock of the event writer.
        self._on_note(self, kind)

    def is_full(self) -> bool:
        """Whether events come faster than they are written, while Redis does write."""
        return self._event_bytes > MOST_WAITING_BYTES // 2 and not (
            self._is_stuck or self.is_closed
        )

    def take(self) -> Command[bool] | None:
        """Return the command to send now, or None; call `written` with its reply."""
        with self._lock:
            if self._is_being_written or self.is_closed or not (self._taken or self._waiting):
                return None
            self._is_being_written = True
            return self._next()

    def written(self, *, reply: bool | None) -> bool:
        """Take the script's reply, None without one; return whether there is more to write."""
        with self._lock:
            self._is_being_written = False
            self._is_stuck = reply is None
            if reply is not None:
                self._taken = []
            if reply is False:  # the lease is lost: nothing may be written any more
                self._close()
            return bool(self._taken or self._waiting)

    def last_words(self, *, is_final: bool) -> list[Command[bool]]:
        """Close, and return the commands that must run before the attempt's settlement.

        If the invocation ends with its first attempt and has only output that was never sent, there
        are none: the record keeps the output. What was sent and has no reply is sent again; the
        script stores it once.
        """
        self.is_closed = True  # ends a `put` that waits for room
        with self._lock:
            if self._decoder and (tail := self._decoder.decode(b"", final=True)):
                self._add("log", tail.encode())
            self._mark_what_was_dropped()
            words = []
            is_output_only = not self._number and all(n.kind == "log" for n in self._waiting)
            if not (is_output_only and is_final and self._claimed.attempt == 1):
                while self._taken or self._waiting:
                    words.append(self._next())
                    self._taken = []
            self._close()
            return words

    def _add(self, kind: str, data: bytes) -> None:
        self._mark_what_was_dropped()
        last = self._waiting[-1] if self._waiting else None
        if last is not None and last.kind == kind and kind in _JOINED_BY:
            if last.size + len(data) <= _LARGEST_ENTRY_BYTES:
                last.data.append(data)
                last.size += len(data) + 1
                return
        elif kind == "progress":
            outdated = next((n for n in self._waiting if n.kind == "progress"), None)
            if outdated is not None:
                self._waiting.remove(outdated)
        elif kind == "event":
            self._event_bytes += len(data)
        self._waiting.append(_BufferedEvent(kind, data))

    def _has_room(self, size: int) -> bool:
        return self._event_bytes == 0 or self._event_bytes + size <= MOST_WAITING_BYTES

    def _wait_for_room(self, size: int) -> None:
        patience_ends_at = 0.0
        while not (self._has_room(size) or self._is_stuck or self.is_closed):
            now = time.monotonic()
            patience_ends_at = patience_ends_at or now + _PATIENCE_S
            if now > patience_ends_at:
                self._is_stuck = True
            time.sleep(_LOOK_S)

    def _make_room(self, size: int) -> None:
        while not self._has_room(size):
            oldest = next((note for note in self._waiting if note.kind == "event"), None)
            if oldest is None:
                self._event_bytes = 0
                return
            self._waiting.remove(oldest)
            self._event_bytes -= oldest.size
            self._dropped += 1

    def _mark_what_was_dropped(self) -> None:
        if self._dropped:
            mark = b"[%d events left out: Redis does not accept them]\n" % self._dropped
            self._dropped = 0
            self._waiting.append(_BufferedEvent("log", mark))

    def _next(self) -> Command[bool]:
        """Number what fits one command; if something is taken already, send only that again."""
        size = 0
        is_again = bool(self._taken)
        while self._waiting and not is_again:
            if size and size + self._waiting[0].size > MOST_TAKEN_BYTES:
                break
            note = self._waiting.popleft()
            size += note.size
            if note.kind == "event":
                self._event_bytes -= note.size
            data = _JOINED_BY.get(note.kind, b"").join(note.data)
            self._number += count_events(note.kind, data)
            self._taken.append(Entry(number=self._number, kind=note.kind, data=data))
        return append_events(
            self._claimed.id,
            self._claimed.token,
            self._taken,
            worker=self._claimed.worker,
            most_bytes=self._most_bytes,
        )

    def _close(self) -> None:
        self.is_closed = True
        self._waiting.clear()
        self._taken = []
