"""Watch the functions folder for changes; the folder need not exist yet.

A notification is only a hint. The publisher reads the folder itself, and also does so at regular
intervals, because some file systems give no events.
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
    """Calls `on_change` in a thread of its own when the folder changes."""

    def __init__(self, root: Path, on_change: Callable[[], None]) -> None:
        self._root = root
        self._on_change = on_change
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start watching."""
        self._thread = lasting_thread(self._watch_for_ever, name="watcher")
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; safe to call twice."""
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
            # Changes between this watch and the next are not seen, so report one when it begins.
            was_absent = True
            try:
                self._watch(identity)
            except Exception as error:  # noqa: BLE001 - outermost: regular rescans still work
                if _identity(self._root) is not None:
                    _log.warning("watch_failed", folder=str(self._root), error=str(error))
                    self._stopped.wait(_FAILED_PAUSE_S)

    def _watch(self, identity: tuple[int, int]) -> None:
        """Watch until stopped, or until another folder is at this path."""
        import watchfiles  # noqa: PLC0415 - only the worker that publishes needs it

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
    """Whether a path is a source file or has no suffix, as folders and links to them."""
    return os.path.splitext(path)[1] in {"", ".py"}  # noqa: PTH122 - Path.suffix sees one in "..data"


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        found = root.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
