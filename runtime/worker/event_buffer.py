"""What one attempt tells while it runs, gathered until it is written.

The attempt puts notes in, the teller (`runtime.worker.event_writer`) takes them out
in groups, the settler takes what is left together with the ending. Notes are numbered
when they are taken, and are taken again under the same numbers until they are written.
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
    """Something told; neighbours of a kind that can be are joined, up to a size."""

    __slots__ = ("data", "kind", "size")

    def __init__(self, kind: str, data: bytes) -> None:
        self.kind = kind
        self.data = [data]
        self.size = len(data)


class EventBuffer:
    """The notes of one attempt; safe to use from many threads.

    Items and output are bounded by what an attempt may make of them; of progress only
    the last is kept. Events that come faster than they are written have to wait a
    moment; when Redis is away for longer the oldest are dropped, which is told.

    `put` runs in threads that may be interrupted anywhere (isolation="thread"), so it
    takes a bare lock and never waits on a condition.

    Args:
        claimed: The attempt.
        on_note: Called with this and the kind of each note.
        most_bytes: What is kept of all that an invocation tells.
    """

    def __init__(
        self, claimed: Claimed, *, on_note: Callable[[EventBuffer, str], None], most_bytes: int
    ) -> None:
        self._claimed = claimed
        self._on_note = on_note
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._is_being_written = False  # what was taken, until Redis has answered
        self._waiting: deque[_BufferedEvent] = deque()
        self._event_bytes = 0
        self._dropped = 0
        self._taken: list[Entry] = []
        self._is_stuck = False
        self._number = 0
        self._is_closed = False
        self._decoder: codecs.IncrementalDecoder | None = None

    def put(self, kind: str, data: bytes, *, waits: bool = False) -> None:
        """Take a note: "log", "progress", "item" or "event".

        With `waits`, an event for which there is no room waits a moment until there is.
        """
        if kind == "event" and waits:
            self._wait_for_room(len(data))
        with self._lock:
            if self._is_closed:
                return
            if kind == "event":
                self._make_room(len(data))
            elif kind == "log":
                self._decoder = self._decoder or _decoder("replace")
                data = self._decoder.decode(data).encode()
            if data:
                self._add(kind, data)
        self._on_note(self, kind)

    def is_full(self) -> bool:
        """Whether events come faster than they are written, and Redis writes."""
        return self._event_bytes > MOST_WAITING_BYTES // 2 and not (
            self._is_stuck or self._is_closed
        )

    def take(self) -> Command[bool] | None:
        """Return what should be written now, None when nothing; then say `written`."""
        with self._lock:
            if self._is_being_written or self._is_closed or not (self._taken or self._waiting):
                return None
            self._is_being_written = True
            return self._next()

    def written(self, *, reply: bool | None) -> bool:
        """Hear what the script said, None when it did not; return whether more waits."""
        with self._lock:
            self._is_being_written = False
            self._is_stuck = reply is None
            if reply is not None:
                self._taken = []
            if reply is False:  # another attempt has taken over
                self._close()
            return bool(self._taken or self._waiting)

    def last_words(self, *, is_final: bool) -> list[Command[bool]]:
        """Close, and return what must be written before the attempt's ending is.

        Of an invocation that ends with its first attempt and has told nothing but a
        little output, the record keeps the output, and it is told from there. What is being
        written is among the words: sent again behind that, it is taken once.
        """
        self._is_closed = True
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
        while not (self._has_room(size) or self._is_stuck or self._is_closed):
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
            mark = b"[%d events left out: Redis does not take them]\n" % self._dropped
            self._dropped = 0
            self._waiting.append(_BufferedEvent("log", mark))

    def _next(self) -> Command[bool]:
        """Number what waits, as much as is written at once; what was taken before comes again."""
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
        self._is_closed = True
        self._waiting.clear()
        self._taken = []
