"""What the publishing worker puts in order twice a minute: queues that nobody names, old lanes.

A queue is forgotten when no function names it and nothing waits, runs or is due in it;
each worker then ends its consumer of it. Lanes that a process of release 0.1 has filled
are adopted: that release kept whose turn it is in lists, this one in sorted sets, and
processes of both may run side by side.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import msgspec
import structlog

from runtime.registry.manifest import decode_manifest
from runtime.store.function_calls import read_manifests
from runtime.store.line import Line
from runtime.store.queue_care_calls import (
    MOST_ADOPTING,
    adopt_lanes,
    forget_queues,
    read_ever_queued,
)

_log = structlog.get_logger(__name__)
_EVERY_S = 30.0
_LONGEST_LOOK_S = 0.1  # a heart looks, and must beat on


class Housekeeper:
    """Looks around now and then.

    Args:
        line: The connection to use.
        clock: Seconds of a clock that only goes on.
    """

    def __init__(self, line: Line, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._clock = clock
        self._looks_at = 0.0
        self._adopting: Iterator[None] | None = None

    def look(self) -> None:
        """Put things in order if it is time to, for a moment: the next look goes on.

        Raises:
            StoreError: Redis is away.
        """
        now = self._clock()
        if self._adopting is None:
            if now < self._looks_at:
                return
            self._looks_at = now + _EVERY_S
            self._adopting = self._adopt_all()
        for _ in self._adopting:
            if self._clock() - now >= _LONGEST_LOOK_S:
                return
        self._adopting = None
        self._forget()

    def _adopt_all(self) -> Iterator[None]:
        """Adopt what there is, and pause after each script."""
        queues, functions = self._line.run_many(read_ever_queued(self._line.keys))
        adopted = 0
        for queue in queues:
            for first in range(0, len(functions), MOST_ADOPTING):
                part = functions[first : first + MOST_ADOPTING]
                while count := self._line.run(adopt_lanes(queue, part)):
                    adopted += count
                    yield
                yield
        if adopted:
            _log.info("lanes_adopted", lanes=adopted)

    def _forget(self) -> None:
        published = self._line.run(read_manifests())
        try:
            named = {decode_manifest(data).options.queue for data in published.values()}
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return  # of another release: who knows which queue it names
        forgotten = self._line.run(forget_queues(named, functions=len(published)))
        if forgotten:
            _log.info("queues_forgotten", queues=forgotten)
