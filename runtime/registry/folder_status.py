"""How a worker's functions folder stands to what is published, as GET /workers shows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runtime.registry.publication import Publication, Versions, differing, digest_of
from runtime.registry.publish_policy import is_suspicious, may_replace

FolderState = Literal["published", "differs", "empty", "absent", "unknown"]
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderStatus:
    """One look at a folder.

    Attributes:
        folder: Its path.
        state: `published`: it holds what is published; `differs`; `empty`: it holds nothing, but
            something is published; `absent`: it is not there; `unknown`: nobody has looked.
        files: How many function files it holds.
        digest: A digest of them; equal folders have equal ones.
        differing: Files that differ from what is published, the first few by name.
        may_replace: Whether it is what shall be published, by `authority.may_replace`.
    """

    folder: str
    state: FolderState = "unknown"
    files: int = 0
    digest: str = ""
    differing: tuple[str, ...] = ()
    may_replace: bool = False

    def view(self) -> dict[str, object]:
        """Return what a heartbeat tells of it."""
        return {
            "folder": self.folder,
            "state": self.state,
            "files": self.files,
            "digest": self.digest,
            "differing": self.differing,
        }


def stand(
    root: Path,
    mine: Versions | None,
    last: Publication | None,
    *,
    identity: str,
    is_certain: bool = False,
) -> FolderStatus:
    """Compare a folder's files, None when it is absent, with what is published."""
    if mine is None:
        return FolderStatus(folder=str(root), state="absent")
    theirs = last.files if last else mine
    differ = tuple(differing(mine, theirs))
    suspicious = is_suspicious(mine, theirs.keys())
    state: FolderState = "published"
    if differ:
        state = "differs" if mine else "empty"
    return FolderStatus(
        folder=str(root),
        state=state,
        files=len(mine),
        digest=digest_of(mine),
        differing=differ[:_MOST_NAMED],
        may_replace=may_replace(mine, last, identity, is_certain=is_certain) and not suspicious,
    )
