"""Whether a worker publishes its functions folder: Redis says so, in answer to a heartbeat."""

from __future__ import annotations

import threading

from runtime.registry.folder_comparison import FolderComparison
from runtime.registry.folder_status import FolderStatus
from runtime.registry.publisher import Publisher


class Publishing:
    """The publisher of one worker process, on or off; for the loop's thread.

    Args:
        publisher: Publishes while it is on.
        onlooker: Looks at the folder all the time.
        is_forbidden: This worker never publishes.
    """

    def __init__(
        self, publisher: Publisher, onlooker: FolderComparison, *, is_forbidden: bool
    ) -> None:
        self.is_on = False
        self._publisher = publisher
        self._onlooker = onlooker
        self._is_forbidden = is_forbidden
        self._turning = threading.Lock()

    def turn(self, *, on: bool) -> None:
        """Start the publisher or stop it, in a thread: what it is doing may take a while to end."""
        if on != self.is_on:
            self.is_on = on
            threading.Thread(target=self._turn, name="turn-publisher", daemon=True).start()

    def request_publish(self, *, withdraw_missing: bool) -> None:
        """Have this folder published, as an operator wants it."""
        self._publisher.request_publish(withdraw_missing=withdraw_missing)

    def standing(self) -> FolderStatus:
        """Return how the folder stands to what is published."""
        return self._publisher.standing or self._onlooker.standing

    def may(self) -> int:
        """Return how much this worker may be the one that publishes, for its heartbeat."""
        if self._is_forbidden:
            return 0
        return 2 if self.standing().may_replace or self._publisher.is_logged else 1

    def stop(self) -> None:
        """Stop for good, and wait for that."""
        self.is_on = False
        with self._turning:
            self._publisher.stop()

    def _turn(self) -> None:
        with self._turning:
            if self.is_on:
                self._publisher.start()
            else:
                self._publisher.stop()
