"""Start and stop the publisher of a worker, as the replies to its heartbeats say.

    off ──heartbeat: this worker is the publisher──► on
    on ──heartbeat: it is not, or the worker stops──► off

Redis lets one worker at a time be the publisher. If that one is killed, its right runs out like a
lease, and another worker gets it.
"""

from __future__ import annotations

import threading

from runtime.registry.folder_comparison import FolderComparison
from runtime.registry.folder_status import FolderStatus
from runtime.registry.publisher import Publisher


class Publishing:
    """The publisher of one worker process, on or off. The loop thread calls the methods.

    Args:
        publisher: Started and stopped here.
        onlooker: Compares the folder with what is published, all the time.
        is_forbidden: Whether this worker never publishes.
    """

    def __init__(
        self, publisher: Publisher, onlooker: FolderComparison, *, is_forbidden: bool
    ) -> None:
        self.is_on = False  # written by the loop thread, read by other threads
        self._publisher = publisher
        self._onlooker = onlooker
        self._is_forbidden = is_forbidden
        self._turning = threading.Lock()

    def turn(self, *, on: bool) -> None:
        """Start or stop the publisher in a thread, since stopping may take seconds."""
        if on != self.is_on:
            self.is_on = on
            threading.Thread(target=self._turn, name="turn-publisher", daemon=True).start()

    def request_publish(self, *, withdraw_missing: bool) -> None:
        """Publish this folder whatever is published now, since an operator has requested it."""
        self._publisher.request_publish(withdraw_missing=withdraw_missing)

    def relock(self, file: str) -> None:
        """Resolve anew what a function file asks for, if this worker is the publisher."""
        if self.is_on:
            self._publisher.relock(file)

    def standing(self) -> FolderStatus:
        """Return how the folder compares with what is published."""
        return self._publisher.standing or self._onlooker.standing

    def may(self) -> int:
        """Return `may_publish` of the heartbeat: 0 never, 1 if no other does, 2 preferred."""
        if self._is_forbidden:
            return 0
        return 2 if self.standing().may_replace or self._publisher.has_orders else 1

    def stop(self) -> None:
        """Stop the publisher and wait until it has stopped."""
        self.is_on = False
        with self._turning:
            self._publisher.stop()

    def _turn(self) -> None:
        # One thread at a time. Each reads `is_on` under the lock, so the last one to run sets what
        # was wanted last, whatever the order in which they started.
        with self._turning:
            if self.is_on:
                self._publisher.start()
            else:
                self._publisher.stop()
