"""The read deadline of one connection.

`connection` sets it for headers and for bodies, and its `sweep` compares it with the loop's time.
"""

from __future__ import annotations

import asyncio

NEVER = float("inf")


class Deadline:
    """One deadline at a time; it is paused while the server itself does not read.

    Attributes:
        at: The loop time after which the client is too late; `NEVER` without a deadline.
    """

    __slots__ = ("_left_s", "_loop", "at")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.at = NEVER
        self._loop = loop
        self._left_s: float | None = None

    def expect(self, within_s: float) -> None:
        """Set the deadline to `within_s` seconds from now."""
        self.at = self._loop.time() + within_s

    def clear(self) -> None:
        """Remove the deadline, a paused one as well."""
        self.at = NEVER
        self._left_s = None

    def pause(self) -> None:
        """Stop the clock and keep the time that is left; safe to call twice."""
        if self.at != NEVER:
            self._left_s = self.at - self._loop.time()
            self.at = NEVER

    def go_on(self) -> None:
        """Start the clock again with the time that was left."""
        if self._left_s is not None:
            self.expect(max(self._left_s, 0.0))
            self._left_s = None
