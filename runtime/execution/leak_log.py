"""Tells once of each function that leaves something running in its runner, which is so used up."""

from __future__ import annotations

import structlog

_MOST_LOGGED = 1_000
_log = structlog.get_logger(__name__)


class LeakLog:
    """What one worker has told of."""

    def __init__(self) -> None:
        self._reported: set[tuple[str, str]] = set()

    def log(self, function: str, version: str, left: str) -> None:
        """Log what a call of a function has left, if that is the first of its version."""
        if (function, version) not in self._reported:
            if len(self._reported) >= _MOST_LOGGED:
                self._reported.clear()
            self._reported.add((function, version))
            _log.info("runner_not_used_again", function=function, version=version, left=left)
