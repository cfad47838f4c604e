"""Find one function: the file that a path names, and the function of it that is meant.

A file is written as `PATH`, or `PATH:NAME` if it publishes several functions. It belongs to the
functions folder that it is in, so its helpers and its name are those that a system would give it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from runtime.errors import LoadError, UnknownFunctionError
from runtime.registry.bundle import Bundle
from runtime.registry.discovery import FoundFile, find_file
from runtime.sdk.exception_names import PUBLIC_NAMESPACE
from runtime.settings import read_settings


def split_name(written: str) -> tuple[Path, str]:
    """Return the path and the function's name in `PATH:NAME`; the name is "" if there is none."""
    path, sign, name = written.rpartition(":")
    if not sign or written.endswith(".py"):
        return Path(written), ""
    return Path(path), name


def read_file(path: Path) -> tuple[FoundFile, Bundle]:
    """Return a function file with its helpers.

    Raises:
        FileNotFoundError: There is no such file.
        LoadError: It is no function file; the error says why.
    """
    whole = Path(os.path.normpath(path.absolute()))  # a link keeps the name that it has here
    whole.stat()
    root = _root_of(whole)
    file = whole.relative_to(root).as_posix()
    found = find_file(root, file)
    if found is None:
        text = "not a function file: its name ends in .py, and it does not begin with _ or a dot"
        raise LoadError("NoFunction", text, file=file, line=None)
    if found.error is not None:
        fault = found.error
        raise LoadError(fault.type, fault.message, file=fault.file, line=fault.line)
    assert found.bundle is not None  # noqa: S101 - a file without an error has one
    return found, found.bundle


def choose(names: Iterable[str], wanted: str, file: str) -> str:
    """Return the full name of the function that is meant.

    Args:
        names: The names that the file publishes.
        wanted: A name, or its last part; "" for the only function.
        file: The file, for errors.

    Raises:
        UnknownFunctionError: No function has that name, or several may be meant.
    """
    known = list(names)
    if not wanted and len(known) == 1:
        return known[0]
    meant = [n for n in known if wanted and wanted in {n, n.rpartition(".")[2]}]
    if len(meant) == 1:
        return meant[0]
    listed = ", ".join(known)
    if not wanted:
        raise UnknownFunctionError(f"{file} publishes {listed}; say which: {file}:NAME")
    raise UnknownFunctionError(f"{file} publishes no {wanted!r}, only {listed}")


def _root_of(file: Path) -> Path:
    """Return the functions folder of a file, its own folder if it is in none."""
    settled = read_settings().functions.resolve()
    for folder in file.parents:
        if folder.resolve() == settled or folder.name == PUBLIC_NAMESPACE:
            return folder
    return file.parent
