"""The sweeper: takes ended invocations away when their time is over, as fast as calls end.

Every worker has one; all share the work, a slice of a few ms at a time, until nothing is due. Once
in an hour one of them also looks through all indexes, slowly, for ids that have no record.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import structlog

from runtime.store.line import Line
from runtime.store.retention_calls import (
    SLICE,
    TURN_MS,
    begin_mending,
    find_indexes,
    mend_index,
    sweep,
)

_log = structlog.get_logger(__name__)
_OTHERS_TURN_S = 4 * TURN_MS / 1000
_SHORTEST_REST_S = 0.25
_LONGEST_REST_S = 2.0
_LONGEST_REST_KNOWN_S = 5.0  # where what goes next is known
_FIRST_MENDING_S = 60.0
_MENDING_AGAIN_S = 600.0  # whether it is to be done again is for Redis to say
_MENDING_REST_S = 2.0  # an idle worker sends fewer than 5 commands a second, mending or not


class Sweeper:
    """Sweeps, a slice a step.

    Args:
        line: The connection to use.
        worker: This worker's id.
    """

    def __init__(self, line: Line, worker: str) -> None:
        self._line = line
        self._worker = worker
        self._adopted_up_to: str | None = ""
        self._mending: Iterator[int] | None = None
        self._mends_at = time.monotonic() + _FIRST_MENDING_S

    def step(self) -> float:
        """Take one slice away; return for how many seconds to rest.

        Raises:
            StoreError: Redis is away.
        """
        if self._adopted_up_to is not None:
            return self._adopt_a_little(self._adopted_up_to)
        swept = self._line.run(sweep())
        if swept.is_others_turn:
            return _OTHERS_TURN_S
        if swept.count == SLICE:
            return TURN_MS / 1000
        if time.monotonic() >= self._mends_at:
            return self._mend_a_little()
        if swept.next_due_ms is None:
            return _LONGEST_REST_S
        return min(max(_SHORTEST_REST_S, swept.next_due_ms / 1000), _LONGEST_REST_KNOWN_S)

    def _adopt_a_little(self, after: str) -> float:
        """Take apart the index of all that earlier versions kept, so that lists are whole."""
        after, _ = self._line.run(mend_index("all", after=after))
        self._adopted_up_to = after or None
        return TURN_MS / 1000

    def _mend_a_little(self) -> float:
        """Take the next step of looking through the indexes; returns for how long to rest."""
        if self._mending is None:
            self._mending = self._mend()
        dropped = next(self._mending, None)
        if dropped is None:
            self._mending = None
            self._mends_at = time.monotonic() + _MENDING_AGAIN_S
        elif dropped:
            _log.warning("index_mended", dropped=dropped)
        return _MENDING_REST_S

    def _mend(self) -> Iterator[int]:
        """Look through all indexes; yields after each step how many ids it dropped."""
        if not self._line.run(begin_mending(self._line.keys, self._worker)):
            return
        cursor, names = self._line.run(find_indexes(self._line.keys, "0"))
        while True:
            yield 0
            for name in names:
                yield from self._mend_one(name)
            if cursor == "0":
                return
            cursor, names = self._line.run(find_indexes(self._line.keys, cursor))

    def _mend_one(self, name: str) -> Iterator[int]:
        after, dropped = self._line.run(mend_index(name))
        yield dropped
        while after:
            after, dropped = self._line.run(mend_index(name, after=after))
            yield dropped
