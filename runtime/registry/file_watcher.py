"""Tell when something in the functions folder changes; the folder may come later.

Only a hint: the publisher looks at the folder itself, and does so now and then
without being told, where a file system gives no events.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from runtime.telemetry.background import lasting_thread

if TYPE_CHECKING:
    from watchfiles import Change

_log = structlog.get_logger(__name__)
_STEP_MS = 50
_DEBOUNCE_MS = 200
_LOOK_MS = 1_000
_ABSENT_PAUSE_S = 0.5
_FAILED_PAUSE_S = 5.0


class Watcher:
    """Calls `on_change` in its own thread from `start` until `stop`."""

    def __init__(self, root: Path, on_change: Callable[[], None]) -> None:
        self._root = root
        self._on_change = on_change
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin watching."""
        self._thread = lasting_thread(self._watch_for_ever, name="watcher")
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; twice is safe."""
        self._stopped.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_LOOK_MS / 1000)

    def _watch_for_ever(self) -> None:
        was_absent = False
        while not self._stopped.is_set():
            identity = _identity(self._root)
            if identity is None:
                was_absent = True
                self._stopped.wait(_ABSENT_PAUSE_S)
                continue
            if was_absent:
                self._on_change()
            was_absent = True  # whatever ends the watch, look again when the next begins
            try:
                self._watch(identity)
            except Exception as error:  # noqa: BLE001 - outermost; the rescan still works
                if _identity(self._root) is not None:
                    _log.warning("watch_failed", folder=str(self._root), error=str(error))
                    self._stopped.wait(_FAILED_PAUSE_S)

    def _watch(self, identity: tuple[int, int]) -> None:
        """Watch until stopped, or until the folder is another one."""
        import watchfiles  # noqa: PLC0415 - only the one worker that publishes needs it

        changes = watchfiles.watch(
            self._root,
            watch_filter=_may_matter,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,
            stop_event=self._stopped,
            raise_interrupt=False,
            ignore_permission_denied=True,
        )
        with contextlib.closing(changes):
            for change in changes:
                if change:
                    self._on_change()
                if _identity(self._root) != identity:
                    return


def _may_matter(_: Change, path: str) -> bool:
    """Source files, and what has no ending: folders, and the links that swap them."""
    return os.path.splitext(path)[1] in {"", ".py"}  # noqa: PTH122 - Path.suffix sees one in "..data"


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        found = root.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
