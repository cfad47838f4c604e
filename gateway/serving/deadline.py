"""When what a connection waits for is too late."""

from __future__ import annotations

import asyncio

NEVER = float("inf")


class Deadline:
    """One at a time; it stands still while we ourselves do not read."""

    __slots__ = ("_left_s", "_loop", "at")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.at = NEVER
        self._loop = loop
        self._left_s: float | None = None

    def expect(self, within_s: float) -> None:
        """Begin anew."""
        self.at = self._loop.time() + within_s

    def clear(self) -> None:
        """Expect nothing."""
        self.at = NEVER

    def pause(self) -> None:
        """Stand still."""
        self._left_s = None if self.at == NEVER else self.at - self._loop.time()
        self.at = NEVER

    def go_on(self) -> None:
        """Run on with what was left."""
        if self._left_s is not None:
            self.expect(max(self._left_s, 0.0))
            self._left_s = None
