"""Decide which files a publisher may publish or withdraw, and which it must leave as published.

A new publisher whose folder differs from what is published must not change it by itself: a mount
may be missing, or a checkout may be old. So it leaves every differing file alone until the file
changes in its folder or the operator runs `penstock publish`.
See docs/decisions/0019-another-folder-replaces-nothing-by-itself.md.
"""

from __future__ import annotations

from collections.abc import Set

from runtime.registry.publication import Publication, Versions, differing


class Authority:
    """Decides for each file whether it may be changed; for one thread.

    Args:
        folder: The folder's identity (`publication.identify_folder`).
        is_certain: Whether the operator has decided that this folder is to be published.

    Attributes:
        has_the_say: Whether this is the folder that other workers' folders are compared with.
    """

    def __init__(self, folder: str, *, is_certain: bool = False) -> None:
        self._folder = folder
        self._is_certain = is_certain
        # File → its version in this folder when it was first left alone, None if it was missing.
        self._left: dict[str, str | None] | None = None
        self._before: Set[str] = frozenset()
        self.has_the_say = False

    @property
    def left_alone(self) -> Set[str]:
        """The files that must stay as they are published."""
        return (self._left or {}).keys()

    def decide(self, mine: Versions, published: Versions, last: Publication | None) -> None:
        """Decide anew, given the folder's current files.

        Args:
            mine: The folder's files.
            published: The files that are served, by their manifests.
            last: The record of the last publisher.
        """
        theirs = {**published, **(last.files if last else {})}
        if self._left is None:
            self.has_the_say = may_replace(mine, last, self._folder, is_certain=self._is_certain)
            self._left = self._left_at_first(mine, published, theirs, last)
        elif is_suspicious(mine, self._before):
            self._left = dict.fromkeys(theirs)
        else:
            self._left = {f: v for f, v in self._left.items() if mine.get(f) == v}
        self._before = mine.keys()

    def grant(self, mine: Versions, published: Versions, *, withdraw_missing: bool) -> None:
        """Let this folder replace what is published, as the operator has asked.

        Without `withdraw_missing`, published files that the folder does not have stay.
        """
        self.has_the_say = True
        missing = () if withdraw_missing else published.keys() - mine.keys()
        self._left = dict.fromkeys(missing)
        self._before = mine.keys()

    def next_publication(self, mine: Versions, last: Publication | None) -> Publication:
        """Return the record to store once all allowed changes have been made."""
        left, theirs = self.left_alone, last.files if last else {}
        kept = {file: theirs[file] for file in left if file in theirs}
        files = {file: version for file, version in mine.items() if file not in left} | kept
        folder = self._folder if self.has_the_say or last is None else last.folder
        return Publication(folder=folder, files=files, kept=tuple(sorted(kept)))

    def _left_at_first(
        self, mine: Versions, published: Versions, theirs: Versions, last: Publication | None
    ) -> dict[str, str | None]:
        if is_suspicious(mine, theirs.keys()):
            return dict.fromkeys(theirs)
        if not self.has_the_say:
            # A file whose served version is this folder's does not differ: the last publisher may
            # have died after it published the file and before it stored the record.
            differ = [
                f for f in differing(mine, theirs) if f not in mine or mine[f] != published.get(f)
            ]
            return {file: mine.get(file) for file in differ}
        if last is None or self._is_certain or last.folder != self._folder:
            return {}
        return dict.fromkeys(file for file in last.kept if file not in mine)


def may_replace(
    mine: Versions, last: Publication | None, folder: str, *, is_certain: bool = False
) -> bool:
    """Whether a folder may replace all that is published.

    It may if nothing is published yet, if the operator has said so, or if it is the folder that was
    published last or has the same files.
    """
    if last is None or is_certain:
        return True
    return last.folder == folder or dict(mine) == last.files


def is_suspicious(mine: Versions, before: Set[str]) -> bool:
    """Whether a folder that had two files or more is now empty, which may be a missing mount."""
    return not mine and len(before) > 1
