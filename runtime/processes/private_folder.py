"""A private temporary folder for each child process that needs one.

The worker makes one folder for each fork server. A child's folder is inside it and named by the
child's pid. No other user may enter. The worker removes a child's folder when the child has ended,
and the whole folder when it stops the fork server; if the worker was killed, the fork server
removes the whole folder. If both are killed at once, the folder stays. A worker that needs a
folder for itself makes one in the same way and removes it when it exits.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "penstock-"
_place: Path | None = None


def make_folder() -> Path:
    """Make the folder for a fork server; only its user may enter."""
    return Path(tempfile.mkdtemp(prefix=_PREFIX))


def use_folder(place: Path) -> None:
    """Set the folder in which this process and its forks make their own folders."""
    global _place  # noqa: PLW0603 - set once in the fork server, inherited by its children
    _place = place


def own_folder() -> Path:
    """Return this process's folder; make it if it does not exist.

    Raises:
        OSError: The folder cannot be made.
    """
    if _place is None:  # not a child of a fork server: a worker that runs functions in threads
        use_folder(make_folder())
        assert _place is not None  # noqa: S101 - for the type checker
        atexit.register(remove, _place)
    folder = _place / f"{os.getpid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def remove(folder: Path) -> None:
    """Remove a folder with its contents, if it exists."""
    if not folder.is_symlink():  # a child may have replaced its folder by a link
        shutil.rmtree(folder, ignore_errors=True)
