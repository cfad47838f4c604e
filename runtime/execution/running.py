"""Which attempts run at the moment, so that each can be cancelled by its invocation's id."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runtime.execution.ending import Ending

Stop = Callable[[], object]


class Running:
    """One attempt under way: cancelled at most until it is over, never after."""

    def __init__(self, invocation_id: str) -> None:
        self.invocation_id = invocation_id
        self.is_cancelled = False
        self._is_over = False
        self._stop: Stop | None = None
        self._is_gentle = False
        self._is_ahead = False
        self._lock = threading.Lock()

    def attach(self, stop: Stop, *, is_gentle: bool = False, is_ahead: bool = False) -> bool:
        """Say how the attempt is stopped from now on; False when it was cancelled before.

        Args:
            stop: Stops it.
            is_gentle: A caller's cancellation is not a reason to stop it by force.
            is_ahead: It may not have begun. Where `stop` then returns False, it has not and is
                where it was before: nothing is cancelled.
        """
        with self._lock:
            self._stop, self._is_gentle, self._is_ahead = stop, is_gentle, is_ahead
            return not self.is_cancelled

    def ask_for(self) -> None:
        """From now on its own thread waits for it: a cancellation stands, begun or not."""
        with self._lock:
            self._is_ahead = False

    def detach(self) -> bool:
        """Nothing is to be stopped any more; return whether it was cancelled."""
        with self._lock:
            self._stop = None
            return self.is_cancelled

    def cancel(self, *, by_caller: bool = False) -> bool:
        """Stop the attempt, or only tell it where that is gentle; False when it is over."""
        with self._lock:
            if self._is_over:
                return False
            self.is_cancelled = True
            if self._stop is not None and not (by_caller and self._is_gentle):
                has_begun = self._stop()
                if self._is_ahead and has_begun is False:
                    self.is_cancelled = False
            return self.is_cancelled

    def finish(self, ending: Ending) -> Ending:
        """End the attempt; a cancellation that came in time wins."""
        with self._lock:
            self._is_over = True
            return Ending(kind="cancelled") if self.is_cancelled else ending


class RunningAttempts:
    """Those of one worker process, by invocation id; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[str, list[Running]] = {}

    def enter(self, invocation_id: str) -> Running:
        """Note that an attempt begins."""
        running = Running(invocation_id)
        with self._lock:
            self._by_id.setdefault(invocation_id, []).append(running)
        return running

    def leave(self, running: Running) -> None:
        """Note that it is over."""
        with self._lock:
            left = self._by_id[running.invocation_id]
            left.remove(running)
            if not left:
                del self._by_id[running.invocation_id]

    def cancel(self, invocation_id: str, *, by_caller: bool = False) -> bool:
        """Stop what runs of an invocation; False when nothing does."""
        with self._lock:
            found = list(self._by_id.get(invocation_id, ()))
        stopped = [running.cancel(by_caller=by_caller) for running in found]
        return any(stopped)
