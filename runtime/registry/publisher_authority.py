"""Connect a publisher with the policy that decides which files it may change.

It passes on the orders of `penstock publish`, logs the files that are left alone, and stores the
record of what is published. `publisher` applies the changes; `publish_policy` decides on each file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """An order of `penstock publish`; each is one of its own, even if it says the same."""

    withdraw_missing: bool


class PublisherAuthority:
    """Decides and records what a publisher may change, from one start to the next stop.

    Only the publisher's thread uses it; any thread may read `standing`.

    Args:
        root: The functions folder.
        order: Returns the order of `penstock publish` that is to be carried out, if there is one.
        on_carried_out: Called with it once what it asks for is published and recorded.
        is_certain: Whether the operator has decided that this folder is to be published.
    """

    def __init__(
        self,
        root: Path,
        order: Callable[[], Order | None],
        on_carried_out: Callable[[Order], object],
        *,
        is_certain: bool,
    ) -> None:
        self._root = root
        self._order = order
        self._on_carried_out = on_carried_out
        self._granted: Order | None = None
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
        order = self._order()
        if order is not None and order is not self._granted:
            self._granted = order
            self._authority.grant(mine, serving, withdraw_missing=order.withdraw_missing)
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
        if self._granted is not None:
            # Not before: until the record says so, only the order keeps this worker the publisher.
            self._on_carried_out(self._granted)
