"""How a worker's functions folder compares with what is published, as GET /workers shows it."""

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
    """The result of one comparison.

    Attributes:
        folder: Path of the folder.
        state: `published`: the folder has the published files; `differs`: it has other ones;
            `empty`: it has no files although some are published; `absent`: it does not exist;
            `unknown`: it has not been compared.
        files: Number of function files in the folder.
        digest: A digest of the files; equal folders have equal digests.
        differing: The first files, by name, that differ from what is published.
        may_replace: Whether this folder may replace all that is published, by
            `publish_policy.may_replace`.
    """

    folder: str
    state: FolderState = "unknown"
    files: int = 0
    digest: str = ""
    differing: tuple[str, ...] = ()
    may_replace: bool = False

    def view(self) -> dict[str, object]:
        """Return the fields that a worker's heartbeat reports."""
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
    """Compare a folder's files with what is published.

    Args:
        root: The folder.
        mine: Its files; None if the folder does not exist.
        last: What is published, None if nothing is.
        identity: The folder's `publication.identify_folder`.
        is_certain: Whether the operator has decided that this folder is to be published.
    """
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
