"""The sweeper: it deletes finished invocations when their time to live is over.

Every worker has one. They share the work, a slice of at most 200 invocations each time, until
nothing is due. Once an hour one of them also goes through all indexes, slowly, and drops ids that
have no record.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import structlog

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.retention_commands import (
    SLICE,
    TURN_MS,
    begin_mending,
    find_indexes,
    mend_index,
    sweep,
)
from runtime.worker.maintenance import RoundTask

_log = structlog.get_logger(__name__)
_OTHERS_TURN_S = 4 * TURN_MS / 1000
_SHORTEST_REST_S = 0.25
_LONGEST_REST_S = 2.0
_LONGEST_REST_KNOWN_S = 5.0  # if the next due time is known
_FIRST_MENDING_S = 60.0
_MENDING_AGAIN_S = 600.0  # how often to ask Redis whether an hour is over
_MENDING_REST_S = 2.0  # an idle worker sends fewer than 5 commands a second, mending or not


class Sweeper(RoundTask):
    """Sweeps in the maintenance thread, one slice at each step.

    Args:
        connection: The connection of the maintenance thread.
        worker: This worker's id.
    """

    def __init__(self, connection: BlockingConnection, worker: str) -> None:
        self._connection = connection
        self._worker = worker
        self._mends_at = time.monotonic() + _FIRST_MENDING_S

    def _round(self) -> Iterator[float]:
        # First split the index `all` of earlier versions, so that lists are complete.
        for _ in self._mend_one("all"):
            yield TURN_MS / 1000
        mending = self._mend()
        while True:
            swept = self._connection.run(sweep())
            if swept.is_others_turn:
                yield _OTHERS_TURN_S
            elif swept.count == SLICE:
                yield TURN_MS / 1000
            elif time.monotonic() >= self._mends_at:
                dropped = next(mending, None)
                if dropped is None:
                    mending = self._mend()
                    self._mends_at = time.monotonic() + _MENDING_AGAIN_S
                elif dropped:
                    _log.warning("index_mended", dropped=dropped)
                yield _MENDING_REST_S
            elif swept.next_due_ms is None:
                yield _LONGEST_REST_S
            else:
                rest_s = max(_SHORTEST_REST_S, swept.next_due_ms / 1000)
                yield min(rest_s, _LONGEST_REST_KNOWN_S)

    def _mend(self) -> Iterator[int]:
        """Go through all indexes; yield after each step how many ids were dropped."""
        if not self._connection.run(begin_mending(self._connection.keys, self._worker)):
            return
        cursor, names = self._connection.run(find_indexes(self._connection.keys, "0"))
        while True:
            yield 0
            for name in names:
                yield from self._mend_one(name)
            if cursor == "0":
                return
            cursor, names = self._connection.run(find_indexes(self._connection.keys, cursor))

    def _mend_one(self, name: str) -> Iterator[int]:
        after, dropped = self._connection.run(mend_index(name))
        yield dropped
        while after:
            after, dropped = self._connection.run(mend_index(name, after=after))
            yield dropped
