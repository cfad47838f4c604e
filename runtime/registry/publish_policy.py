"""Which files a publisher may publish and withdraw, and which it has to leave as they are.

A folder that is not the one last published, in whole or in part, is no reason to change what is
published: a mount may be missing, a checkout may be old. So a publisher that takes over leaves
alone every file in which its folder differs, until it sees that file change or is told to go on
(`penstock publish`). See docs/decisions/0019-another-folder-replaces-nothing-by-itself.md.
"""

from __future__ import annotations

from collections.abc import Set

from runtime.registry.publication import Publication, Versions, differing


class Authority:
    """Decides file by file. Not safe to share between threads.

    Args:
        folder: Which folder this is (`publication.identify_folder`).
        is_certain: The operator has said that this folder is what shall be published.
    """

    def __init__(self, folder: str, *, is_certain: bool = False) -> None:
        self._folder = folder
        self._is_certain = is_certain
        self._left: dict[str, str | None] | None = None  # file → its version here, when it was left
        self._before: Set[str] = frozenset()
        self._has_the_say = False

    @property
    def left_alone(self) -> Set[str]:
        """The files that must stay as they are published."""
        return (self._left or {}).keys()

    @property
    def has_the_say(self) -> bool:
        """Whether this folder is the one that others are compared with."""
        return self._has_the_say

    def decide(self, mine: Versions, published: Versions, last: Publication | None) -> None:
        """Take in what the folder holds now.

        Args:
            mine: The folder's files.
            published: What serves, by the manifests.
            last: What the last publisher left.
        """
        theirs = {**published, **(last.files if last else {})}
        if self._left is None:
            self._has_the_say = may_replace(mine, last, self._folder, is_certain=self._is_certain)
            self._left = self._left_at_first(mine, published, theirs, last)
        elif is_suspicious(mine, self._before):
            self._left = dict.fromkeys(theirs)
        else:
            self._left = {f: v for f, v in self._left.items() if mine.get(f) == v}
        self._before = mine.keys()

    def grant(self, mine: Versions, published: Versions, *, withdraw_missing: bool) -> None:
        """Let this folder have the say from now on.

        Without `withdraw_missing`, what is published and not in the folder stays.
        """
        self._has_the_say = True
        missing = () if withdraw_missing else published.keys() - mine.keys()
        self._left = dict.fromkeys(missing)
        self._before = mine.keys()

    def next_publication(self, mine: Versions, last: Publication | None) -> Publication:
        """Return the state after everything this authority allows has been done."""
        left, theirs = self.left_alone, last.files if last else {}
        kept = {file: theirs[file] for file in left if file in theirs}
        files = {file: version for file, version in mine.items() if file not in left} | kept
        folder = self._folder if self._has_the_say or last is None else last.folder
        return Publication(folder=folder, files=files, kept=tuple(sorted(kept)))

    def _left_at_first(
        self, mine: Versions, published: Versions, theirs: Versions, last: Publication | None
    ) -> dict[str, str | None]:
        if is_suspicious(mine, theirs.keys()):
            return dict.fromkeys(theirs)
        if not self._has_the_say:
            # A publisher may have died between publishing a file and leaving word of it.
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
    """Whether a folder may replace the whole of what is published, as it is the same one."""
    if last is None or is_certain:
        return True
    return last.folder == folder or dict(mine) == last.files


def is_suspicious(mine: Versions, before: Set[str]) -> bool:
    """Whether a folder is empty that was not: removing the only file is meant, this may not be."""
    return not mine and len(before) > 1
