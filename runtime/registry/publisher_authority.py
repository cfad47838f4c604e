"""Connect a publisher with the policy that decides which files it may change.

It passes on the orders of `penstock publish`, logs the files that are left alone, and stores the
record of what is published. `publisher` applies the changes; `publish_policy` decides on each file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from runtime.registry.folder_status import FolderStatus, stand
from runtime.registry.manifest import Manifest
from runtime.registry.publication import (
    Publication,
    Versions,
    decode_publication,
    identify_folder,
)
from runtime.registry.publish_policy import Authority
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import write_publication

_log = structlog.get_logger(__name__)
_MOST_NAMED = 20
_HINT = "they are published when their files change, or by: penstock publish"


class PublisherAuthority:
    """Decides and records what a publisher may change, from one start to the next stop.

    Only the publisher's thread uses it; any thread may read `standing`.

    Args:
        root: The functions folder.
        take_order: Takes an order of `penstock publish`: its `withdraw_missing`, None without one.
        is_certain: Whether the operator has decided that this folder is to be published.
    """

    def __init__(
        self, root: Path, take_order: Callable[[], bool | None], *, is_certain: bool
    ) -> None:
        self._root = root
        self._take_order = take_order
        self._authority = Authority(identify_folder(root), is_certain=is_certain)
        self._last: Publication | None = None
        self._reported: frozenset[str] = frozenset()
        self.standing: FolderStatus | None = None

    def decide(
        self, mine: Versions, published: Mapping[str, Manifest], last: bytes | None
    ) -> frozenset[str]:
        """Return the files that must stay as they are published; log them when they change."""
        self._last = decode_publication(last)
        serving = {
            each.file: each.sources or each.version for each in published.values() if each.version
        }
        withdraw_missing = self._take_order()
        if withdraw_missing is not None:
            self._authority.grant(mine, serving, withdraw_missing=withdraw_missing)
        self._authority.decide(mine, serving, self._last)
        left = frozenset(self._authority.left_alone)
        if left != self._reported:
            self._reported = left
            files = ", ".join(sorted(left)[:_MOST_NAMED])
            if left:
                _log.warning(
                    "functions_left_alone", folder=str(self._root), files=files, hint=_HINT
                )
        return left

    def note(self, mine: Versions, connection: BlockingConnection) -> None:
        """Store the record for the other workers and for the next publisher."""
        now = self._authority.next_publication(mine, self._last)
        if now != self._last:
            connection.run(write_publication(now.encode()))
        identity = now.folder if self._authority.has_the_say else ""
        self.standing = stand(self._root, mine, now, identity=identity)
