"""Writes what running attempts tell, many of them in one round trip.

A thread that sleeps until there is something. What is told is written at once when the
last writing is a while ago, else together with what comes meanwhile; output alone
waits a little longer, because most functions that print end soon and then cost no
round trip of their own. An attempt that tells nothing costs nothing.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time

import structlog

from runtime.errors import StoreError
from runtime.store.event_calls import MOST_BYTES
from runtime.store.invocation_calls import Claimed
from runtime.store.line import Line
from runtime.telemetry.lasting import lasting_thread
from runtime.worker.telling import Telling

_log = structlog.get_logger(__name__)
_PACE_S = 0.02
_OUTPUT_PATIENCE_S = 0.05
_AWAY_PAUSE_S = 0.25
_MOST_AT_ONCE = 32
_NEVER = float("inf")


class Teller:
    """The tellings of one worker process; `line` is its own connection.

    `_on_note` runs in threads that may be interrupted anywhere (isolation="thread"):
    it takes a bare lock, and rings by a queue, which does it in one step.

    Args:
        line: Where to write.
        most_bytes: What is kept of all that one invocation tells.
    """

    def __init__(self, line: Line, *, most_bytes: int = MOST_BYTES) -> None:
        self._line = line
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._due: dict[Telling, float] = {}
        self._wakes_at = 0.0  # when the thread looks again by itself; 0 while it is awake
        self._free_at = 0.0  # when the next writing may begin
        self._stopped = False
        self._is_away = False
        self._thread = lasting_thread(self._run, name="teller")

    def listen(self, claimed: Claimed) -> Telling:
        """Return the telling of an attempt."""
        return Telling(claimed, on_note=self._on_note, most_bytes=self._most_bytes)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the connection; safe to call twice."""
        self._stopped = True
        self._bell.put(None)
        self._line.close()  # it may block there
        if self._thread.is_alive():
            self._thread.join()
        self._line.close()

    def _on_note(self, telling: Telling, kind: str) -> None:
        now = time.monotonic()
        due_at = now + _OUTPUT_PATIENCE_S if kind == "log" else max(now, self._free_at)
        if self._due.get(telling, _NEVER) <= due_at:
            return  # what it takes then includes this note
        with self._lock:
            self._due[telling] = due_at
            if due_at < self._wakes_at:
                self._bell.put(None)
                self._wakes_at = due_at

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._write(self._wait())
            except Exception:  # noqa: BLE001 - outermost: the others must go on
                _log.exception("telling_failed")

    def _wait(self) -> list[Telling]:
        """Return what is due, or nothing after having waited for it."""
        with self._lock:
            now = time.monotonic()
            chosen = [t for t, due_at in self._due.items() if due_at <= now][:_MOST_AT_ONCE]
            for telling in chosen:
                del self._due[telling]
            if chosen:
                return chosen
            self._wakes_at = min(self._due.values(), default=_NEVER)
            wait_s = None if self._wakes_at == _NEVER else self._wakes_at - now
        with contextlib.suppress(queue.Empty):
            self._bell.get(timeout=wait_s)
        self._wakes_at = 0.0
        return []

    def _write(self, chosen: list[Telling]) -> None:
        taken = [(telling, call) for telling in chosen if (call := telling.take()) is not None]
        if not taken:
            return
        replies: list[bool | None] = [None] * len(taken)
        try:
            replies = self._line.run_many([call for _, call in taken])
            self._is_away = False
        except StoreError as error:
            self._tell_away(error)
        finally:
            pairs = zip(taken, replies, strict=True)
            left = [telling for (telling, _), reply in pairs if telling.written(reply=reply)]
        self._free_at = time.monotonic() + (_AWAY_PAUSE_S if self._is_away else _PACE_S)
        with self._lock:
            for telling in left:
                self._due[telling] = min(self._due.get(telling, _NEVER), self._free_at)

    def _tell_away(self, error: StoreError) -> None:
        if not self._is_away and not self._stopped:
            _log.warning("telling_waits", reason=str(error))
        self._is_away = True
