"""Lanes that a process of release 0.1 has filled are taken over, so that none is forgotten.

That release kept whose turn it is in lists, this one in sorted sets. The worker that publishes
looks at its first beat and then twice a minute: processes of both releases may run side by side.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from runtime.store.line import Line
from runtime.store.system_calls import MOST_ADOPTING, adopt_lanes, read_ever_queued

_log = structlog.get_logger(__name__)
_EVERY_S = 30.0
_MOST_ROUNDS = 1_000


class Adopter:
    """Looks for such lanes, now and then.

    Args:
        line: The connection to use.
        clock: Seconds of a clock that only goes on.
    """

    def __init__(self, line: Line, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._clock = clock
        self._looks_at = 0.0

    def look(self) -> int:
        """Take over what there is if it is time to; return how many lanes were.

        Raises:
            StoreError: Redis is away.
        """
        if self._clock() < self._looks_at:
            return 0
        queues, functions = self._line.run_many(read_ever_queued(self._line.keys))
        adopted = 0
        for queue in queues:
            for first in range(0, len(functions), MOST_ADOPTING):
                adopted += self._adopt(queue, functions[first : first + MOST_ADOPTING])
        self._looks_at = self._clock() + _EVERY_S
        if adopted:
            _log.info("lanes_adopted", lanes=adopted)
        return adopted

    def _adopt(self, queue: str, functions: list[str]) -> int:
        adopted = 0
        for _ in range(_MOST_ROUNDS):
            part = self._line.run(adopt_lanes(queue, functions))
            if not part:
                break
            adopted += part
        return adopted
