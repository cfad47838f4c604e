"""Logs each function that leaves something running in its runner, once for each version."""

from __future__ import annotations

import structlog

_MOST_LOGGED = 1_000
_log = structlog.get_logger(__name__)


class LeakLog:
    """The leaks that one worker process has logged."""

    def __init__(self) -> None:
        self._reported: set[tuple[str, str]] = set()

    def log(self, function: str, version: str, left: str) -> None:
        """Log what an attempt left, unless a leak of this function version was logged before."""
        if (function, version) not in self._reported:
            if len(self._reported) >= _MOST_LOGGED:
                self._reported.clear()
            self._reported.add((function, version))
            _log.info("runner_not_used_again", function=function, version=version, left=left)
