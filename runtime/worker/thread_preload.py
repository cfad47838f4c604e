"""Import what functions of `isolation="thread"` need before the first call of one.

That includes pydantic, which a worker without such functions never loads. The worker looks at the
published manifests from time to time, until it finds such a function.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import threading
from collections.abc import Iterator
from itertools import chain, repeat

import msgspec
import structlog

from runtime.registry.manifest_codec import decode_manifest
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import read_manifests, read_versions
from runtime.worker.maintenance import RoundTask

_log = structlog.get_logger(__name__)
_FIRST_RESTS_S = (0.6,) * 8  # by then the folder is published
_LOOK_EVERY_S = 10.0
_LOADED = "runtime.execution.preload"


class ThreadPreload(RoundTask):
    """Looks for a published function of `isolation="thread"`, until there is one.

    Args:
        connection: The connection of the maintenance thread.
    """

    def __init__(self, connection: BlockingConnection) -> None:
        self._connection = connection
        self._seen: dict[str, str] = {}

    def _round(self) -> Iterator[float]:
        for rest_s in chain(_FIRST_RESTS_S, repeat(_LOOK_EVERY_S)):
            if self._is_wanted():
                # Importing takes half a second: too long for a step.
                threading.Thread(target=_load, name="thread-preload", daemon=True).start()
                yield math.inf
            yield rest_s

    def _is_wanted(self) -> bool:
        """Return whether a function of `isolation="thread"` is published."""
        versions = self._connection.run(read_versions())
        if versions == self._seen:
            return False
        manifests = self._connection.run(read_manifests()).values()
        self._seen = versions
        for one in manifests:
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):  # another release
                if decode_manifest(one).options.isolation == "thread":
                    return True
        return False


def _load() -> None:
    try:
        importlib.import_module(_LOADED)
    except Exception:  # noqa: BLE001 - outermost; the first call is just slower
        _log.exception("thread_lane_not_preloaded")
