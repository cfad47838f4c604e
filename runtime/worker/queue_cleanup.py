"""Delete unused queues and adopt lanes of release 0.1, twice a minute, in the publishing worker.

A queue is deleted if no function names it and nothing waits, runs or is due in it; each worker then
stops claiming from it. Release 0.1 kept the turns of lanes in lists, this one keeps them in sorted
sets. Processes of both may run side by side, so lanes that 0.1 has filled are adopted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import structlog

from runtime.registry.manifest_codec import decode_manifest
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import read_manifests
from runtime.store.system_commands import MOST_ADOPTING, adopt_lanes, forget_queues, read_names
from runtime.worker.maintenance import RoundTask

_log = structlog.get_logger(__name__)
_EVERY_S = 30.0
_ELECTED_EVERY_S = 2.0
_ADOPTING_PAUSE_S = 0.1  # leaves Redis free for other commands


class QueueCleanup(RoundTask):
    """Cleans up in the maintenance thread, one or two scripts at each step.

    Args:
        connection: The connection of the maintenance thread.
        is_publishing: Returns whether this worker is the publisher; others do nothing.
    """

    def __init__(self, connection: BlockingConnection, is_publishing: Callable[[], bool]) -> None:
        self._connection = connection
        self._is_publishing = is_publishing

    def _round(self) -> Iterator[float]:
        if not self._is_publishing():
            yield _ELECTED_EVERY_S
            return
        functions, queues = self._connection.run_many(read_names(self._connection.keys))
        adopted = 0
        for queue in queues:
            for first in range(0, len(functions), MOST_ADOPTING):
                part = functions[first : first + MOST_ADOPTING]
                while count := self._connection.run(adopt_lanes(queue, part)):
                    adopted += count
                    yield _ADOPTING_PAUSE_S
                yield 0.0
        if adopted:
            _log.info("lanes_adopted", lanes=adopted)
        self._forget()
        yield _EVERY_S

    def _forget(self) -> None:
        published = self._connection.run(read_manifests())
        try:
            named = {decode_manifest(data).options.queue for data in published.values()}
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return  # a manifest of another release: its queue is unknown
        forgotten = self._connection.run(forget_queues(named, functions=len(published)))
        if forgotten:
            _log.info("queues_forgotten", queues=forgotten)
