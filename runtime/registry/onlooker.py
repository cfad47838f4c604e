"""Looks at the functions folder of a worker that does not publish, and says if it differs.

A thread. Whoever edits a file beside such a worker must not wonder why it is not served. One
look may fall between a change and its publishing, so a difference counts when two looks found it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from runtime.errors import StoreError
from runtime.registry.discovery import discover
from runtime.registry.publication import decode_publication, identify_folder, versions_of
from runtime.registry.standing import Standing, stand
from runtime.store.function_calls import read_publication
from runtime.store.line import Line
from runtime.telemetry.lasting import lasting_thread

_log = structlog.get_logger(__name__)
_INTERVAL_S = 4.0
_STOP_LIMIT_S = 2.0
_HINT = "another folder is published; to publish this one: penstock publish --worker"


class Onlooker:
    """Looks from `start` until `stop`.

    Args:
        line: A connection of its own.
        root: The functions folder.
        worker: This worker's id, for the log.
        is_certain: The operator has said that this folder is what shall be published.
        interval_s: Time between two looks.
        beside: Called after each look, on this thread.
    """

    def __init__(
        self,
        line: Line,
        root: Path,
        *,
        worker: str,
        is_certain: bool = False,
        interval_s: float = _INTERVAL_S,
        beside: Callable[[], None] = lambda: None,
    ) -> None:
        self._line = line
        self._root = root
        self._worker = worker
        self._identity = identify_folder(root)
        self._is_certain = is_certain
        self._interval_s = interval_s
        self._beside = beside
        self._stopped = threading.Event()
        self._thread = lasting_thread(self._run, name="onlooker")
        self._told = ""
        self._found = Standing(folder=str(root))
        self.standing = self._found

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; safe to call twice."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_LIMIT_S)
        self._line.close()

    def look(self) -> None:
        """Look once, now.

        Raises:
            StoreError: Redis is away.
        """
        try:
            mine = versions_of(discover(self._root))
        except OSError:
            mine = None
        last = decode_publication(self._line.run(read_publication()))
        found = stand(self._root, mine, last, identity=self._identity, is_certain=self._is_certain)
        is_new = found.state == "differs" and self._found.state != "differs"
        self.standing = replace(found, state=self.standing.state) if is_new else found
        self._found = found

    def tell(self) -> None:
        """Log once that the folder differs, and once that it does no longer."""
        state = self.standing.state
        said = f"{state} {self.standing.digest}" if state in {"differs", "empty"} else ""
        if said == self._told:
            return
        self._told = said
        if said:
            _log.warning(
                "functions_differ",
                worker=self._worker,
                folder=self.standing.folder,
                state=state,
                files=", ".join(self.standing.differing),
                hint=f"{_HINT} {self._worker}",
            )
        else:
            _log.info("functions_agree", worker=self._worker, folder=self.standing.folder)

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            try:
                self.look()
                self.tell()
                self._beside()
            except StoreError:
                continue  # the heart tells that Redis is away
            except Exception:  # noqa: BLE001 - outermost: the loop must survive and be seen
                _log.exception("onlooker_crashed")
