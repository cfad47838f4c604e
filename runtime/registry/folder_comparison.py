"""Compare the functions folder of a worker that does not publish with what is published.

If they differ, a warning is logged: edits in this folder have no effect, and the author should
know why. A comparison may run between a change and its publication, so a difference counts only if
two comparisons in a row find it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import structlog

from runtime.registry.discovery import discover
from runtime.registry.folder_status import FolderStatus, stand
from runtime.registry.publication import decode_publication, identify_folder, versions_of
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import read_publication

_log = structlog.get_logger(__name__)
INTERVAL_S = 4.0
"""Seconds between two comparisons."""
_HINT = "another folder is published; to publish this one: penstock publish --worker"


class FolderComparison:
    """Compares a folder with what is published; `standing` has the result.

    Args:
        connection: The connection to use.
        root: The functions folder.
        worker: This worker's id, for the log.
        is_certain: Whether the operator has decided that this folder is to be published.
    """

    def __init__(
        self,
        connection: BlockingConnection,
        root: Path,
        *,
        worker: str,
        is_certain: bool = False,
    ) -> None:
        self._connection = connection
        self._root = root
        self._worker = worker
        self._identity = identify_folder(root)
        self._is_certain = is_certain
        self._reported = ""
        self._found = FolderStatus(folder=str(root))
        self.standing = self._found

    def step(self) -> float:
        """Compare once and log a change; return the seconds until the next call.

        Raises:
            StoreError: Redis is unavailable.
        """
        self.look()
        self.log()
        return INTERVAL_S

    def look(self) -> None:
        """Compare once, now.

        Raises:
            StoreError: Redis is unavailable.
        """
        try:
            mine = versions_of(discover(self._root))
        except OSError:
            mine = None
        last = decode_publication(self._connection.run(read_publication()))
        found = stand(self._root, mine, last, identity=self._identity, is_certain=self._is_certain)
        is_new = found.state == "differs" and self._found.state != "differs"
        self.standing = replace(found, state=self.standing.state) if is_new else found
        self._found = found

    def log(self) -> None:
        """Log when the folder begins to differ or differs in another way, and when it agrees."""
        state = self.standing.state
        said = f"{state} {self.standing.digest}" if state in {"differs", "empty"} else ""
        if said == self._reported:
            return
        self._reported = said
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
