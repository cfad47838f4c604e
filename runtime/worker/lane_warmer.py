"""Makes the thread lane ready before its first call, in workers that will need it.

The lane takes pydantic along, which a worker without functions of `isolation="thread"` does
without. A look at what is published, now and then until there is one, costs next to nothing.
"""

from __future__ import annotations

import importlib
import threading
from itertools import chain, repeat

import structlog

from runtime.errors import StoreError
from runtime.registry.manifest import decode_manifest
from runtime.store.function_calls import read_manifests, read_versions
from runtime.store.line import Line
from runtime.telemetry.lasting import lasting_thread

_log = structlog.get_logger(__name__)
_FIRST_LOOKS_S = (0.6,) * 8  # what is in the folder is published by then
_LOOK_EVERY_S = 10.0
_LOADED = "runtime.execution.warming"


class LaneWarmer:
    """Looks from `start` until the lane is warm, or `stop`.

    Args:
        line: A connection of its own, closed when the lane is warm.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._seen: dict[str, str] = {}
        self._stopped = threading.Event()
        self._thread = lasting_thread(self._look_for_long, name="lane")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; twice is safe."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def _look_for_long(self) -> None:
        try:
            self._look()
        except Exception:  # noqa: BLE001 - outermost; without it the first call is slower
            _log.exception("lane_not_warmed")
        finally:
            self._line.close()

    def _look(self) -> None:
        for pause_s in chain(_FIRST_LOOKS_S, repeat(_LOOK_EVERY_S)):
            if self._stopped.wait(pause_s):
                return
            try:
                if self._is_wanted():
                    importlib.import_module(_LOADED)
                    return
            except StoreError:
                continue  # others tell of it

    def _is_wanted(self) -> bool:
        """Whether a function of the thread lane is published."""
        versions = self._line.run(read_versions())
        if versions == self._seen:
            return False
        manifests = self._line.run(read_manifests()).values()
        self._seen = versions
        return any(decode_manifest(one).options.isolation == "thread" for one in manifests)
