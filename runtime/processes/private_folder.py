"""A folder for each child that needs one, out of reach of other users, gone with the child.

The worker makes one place for all children of a fork server; a child finds its own by number.
The worker removes it when the child has ended, and whoever ends last (the worker or, when that was
killed, the fork server) the whole place.
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
    """Make the place; only its user may enter."""
    return Path(tempfile.mkdtemp(prefix=_PREFIX))


def use_folder(place: Path) -> None:
    """Say where this process and its forks have their folders."""
    global _place  # noqa: PLW0603 - set once, in the fork server, for all it forks
    _place = place


def own_folder() -> Path:
    """Return this process's folder, made now if it is not there.

    Raises:
        OSError: It cannot be made.
    """
    if _place is None:  # a worker's own process
        use_folder(make_folder())
        assert _place is not None  # noqa: S101 - for the type checker
        atexit.register(remove, _place)
    folder = _place / f"{os.getpid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    if not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
