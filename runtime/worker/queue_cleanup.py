"""What the publishing worker puts in order twice a minute: queues that nobody names, old lanes.

A queue is forgotten when no function names it and nothing waits, runs or is due in it;
each worker then ends its consumer of it. Lanes that a process of release 0.1 has filled
are adopted: that release kept whose turn it is in lists, this one in sorted sets, and
processes of both may run side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import structlog

from runtime.registry.manifest import decode_manifest
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import read_manifests
from runtime.store.queue_cleanup_commands import (
    MOST_ADOPTING,
    adopt_lanes,
    forget_queues,
    read_ever_queued,
)
from runtime.worker.maintenance import RoundTask

_log = structlog.get_logger(__name__)
_EVERY_S = 30.0
_ELECTED_EVERY_S = 2.0
_ADOPTING_PAUSE_S = 0.1  # Redis serves everybody else meanwhile


class QueueCleanup(RoundTask):
    """Puts things in order, a script or two a step.

    Args:
        line: The connection to use.
        is_publishing: Whether this worker is the one that publishes, and so the one to do it.
    """

    def __init__(self, line: BlockingConnection, is_publishing: Callable[[], bool]) -> None:
        self._line = line
        self._is_publishing = is_publishing

    def _round(self) -> Iterator[float]:
        if not self._is_publishing():
            yield _ELECTED_EVERY_S
            return
        queues, functions = self._line.run_many(read_ever_queued(self._line.keys))
        adopted = 0
        for queue in queues:
            for first in range(0, len(functions), MOST_ADOPTING):
                part = functions[first : first + MOST_ADOPTING]
                while count := self._line.run(adopt_lanes(queue, part)):
                    adopted += count
                    yield _ADOPTING_PAUSE_S
                yield 0.0
        if adopted:
            _log.info("lanes_adopted", lanes=adopted)
        self._forget()
        yield _EVERY_S

    def _forget(self) -> None:
        published = self._line.run(read_manifests())
        try:
            named = {decode_manifest(data).options.queue for data in published.values()}
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return  # of another release: who knows which queue it names
        forgotten = self._line.run(forget_queues(named, functions=len(published)))
        if forgotten:
            _log.info("queues_forgotten", queues=forgotten)
