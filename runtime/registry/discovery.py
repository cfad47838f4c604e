"""Find the function files in a folder, each with the helpers that it may import.

Files are only read, never imported. Every file ending in .py is either a function file, a helper
(its name or the name of a folder above it starts with `_`), or reported with an error: no file is
skipped silently.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from runtime.dependencies.script_metadata import (
    MetadataError,
    ScriptMetadata,
    has_block,
    read_metadata,
)
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import FileError
from runtime.sdk.option_parsing import NAME_LONGEST, is_function_name

_PART_RULE = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
_BUNDLE_MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """One function file: its bundle, or the error why it has none.

    Attributes:
        file: Path below the folder, with `/`.
        name: The dotted name that the file stands for; it may be invalid if there is an error.
        bundle: The source of the file and its helpers.
        needs: What its block asks for, None if it runs in Penstock's own environment.
        uv_lock: The lock file beside it (`uv lock --script`), if there is one and it has a block.
        is_relocked: Whether the block is to be resolved anew, whatever its lock is.
        error: Why there is no bundle.
    """

    file: str
    name: str
    bundle: Bundle | None = None
    needs: ScriptMetadata | None = None
    uv_lock: bytes | None = None
    is_relocked: bool = False
    error: FileError | None = None

    @property
    def content(self) -> tuple[str, bytes | None]:
        """What it is loaded again for when it changes; "" if there is no bundle."""
        return (self.bundle.version if self.bundle is not None else "", self.uv_lock)


def discover(root: Path) -> list[FoundFile]:
    """Return the function files below `root`, sorted by path.

    Raises:
        OSError: The folder itself does not exist or cannot be read.
    """
    real_root = os.path.realpath(root, strict=True)
    return _read_all(real_root, _walk(real_root, lambda _: True))


def find_file(root: Path, file: str) -> FoundFile | None:
    """Return one function file below `root`, None if there is none; reads no other one.

    Args:
        root: The functions folder.
        file: The file's path below it, with `/`.

    Raises:
        OSError: The folder does not exist or cannot be read.
    """
    real_root = os.path.realpath(root, strict=True)

    def is_wanted(path: str) -> bool:
        is_private = any(part.startswith("_") for part in PurePosixPath(path).parts)
        return _is_beside(path, file) if is_private else f"{file}/".startswith(f"{path}/")

    return next(iter(_read_all(real_root, _walk(real_root, is_wanted))), None)


def _read_all(real_root: str, paths: Iterable[str]) -> list[FoundFile]:
    files: list[str] = []
    helpers: dict[str, bytes] = {}
    unreadable: dict[str, OSError] = {}
    sources: dict[str, bytes] = {}
    for file in sorted(paths):
        try:
            data = Path(real_root, file).read_bytes()
        except FileNotFoundError:
            continue  # removed after it was listed
        except OSError as error:
            unreadable[file] = error
            data = b""
        if any(part.startswith("_") for part in PurePosixPath(file).parts):
            helpers[file] = data
        else:
            files.append(file)
            sources[file] = data
    return [_found(real_root, file, sources[file], helpers, unreadable.get(file)) for file in files]


def _found(
    root: str, file: str, source: bytes, helpers: dict[str, bytes], unreadable: OSError | None
) -> FoundFile:
    name = ".".join(PurePosixPath(file).with_suffix("").parts)
    mine = {file: source} | {path: data for path, data in helpers.items() if _is_beside(path, file)}
    size = sum(map(len, mine.values()))
    if text := _fault_of_name(file, name):
        kind = "BadName"
    elif unreadable is not None:
        kind, text = type(unreadable).__name__, unreadable.strerror or "cannot be read"
    elif size > _BUNDLE_MOST_BYTES:
        kind, limit = "TooLarge", f"{_BUNDLE_MOST_BYTES:,} bytes"
        text = f"the file and its helpers have {size:,} bytes; the limit is {limit}"
    elif (found := _needs_of(file, source, mine)).error is not None:
        return FoundFile(file=file, name=name, error=found.error)
    else:
        bundle = Bundle(root=root, file=file, sources=mine)
        uv_lock = _uv_lock_of(root, file) if found.needs is not None else None
        return FoundFile(file=file, name=name, bundle=bundle, needs=found.needs, uv_lock=uv_lock)
    return FoundFile(file=file, name=name, error=FileError(type=kind, message=text, file=file))


class _Needs(NamedTuple):
    """What a file's block asks for, or what is wrong with it."""

    needs: ScriptMetadata | None = None
    error: FileError | None = None


def _needs_of(file: str, source: bytes, mine: dict[str, bytes]) -> _Needs:
    try:
        needs = read_metadata(source)
    except MetadataError as error:
        return _Needs(error=_invalid(str(error), file, error.line))
    for helper, text in mine.items():
        if helper != file and has_block(text):
            fault = "a helper has no block of its own: put it into the files that are functions"
            return _Needs(error=_invalid(fault, helper, None))
    return _Needs(needs if needs is not None and needs.needs_environment else None)


def _invalid(text: str, file: str, line: int | None) -> FileError:
    return FileError(type="MetadataInvalid", message=text, file=file, line=line)


def _uv_lock_of(root: str, file: str) -> bytes | None:
    try:
        return Path(root, f"{file}.lock").read_bytes()
    except OSError:
        return None


def _fault_of_name(file: str, name: str) -> str | None:
    parts = PurePosixPath(file).with_suffix("").parts
    for part in parts:
        if not _PART_RULE.fullmatch(part):
            return (
                f"{part!r} cannot be part of a function's name: use lower-case letters, digits and "
                "_, and do not start with a digit; start the name with _ to make it a helper"
            )
    if not is_function_name(name):
        return f"the name {name!r} is longer than {NAME_LONGEST} characters"
    return None


def _is_beside(helper: str, file: str) -> bool:
    """Whether a helper, or the `_` folder that it is in, is in the file's folder or above it."""
    parts = PurePosixPath(helper).parts
    first_private = next(i for i, part in enumerate(parts) if part.startswith("_"))
    folder = PurePosixPath(file).parent.parts
    return folder[:first_private] == parts[:first_private]


def _walk(root: str, is_wanted: Callable[[str], bool]) -> Iterator[str]:
    """Yield the wanted .py files below root; follow links, but enter no folder from within itself.

    A folder is asked for before it is entered.
    """
    folders: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]
    while folders:
        folder, above = folders.pop()
        try:
            here = Path(root, folder).stat()
            if (here.st_dev, here.st_ino) in above:
                continue
            with os.scandir(Path(root, folder)) as entries:
                listed = list(entries)
        except OSError:
            if not folder:
                raise
            continue  # removed meanwhile, or not readable
        above |= {(here.st_dev, here.st_ino)}
        for entry in listed:
            kind = _kind_of(entry)
            if not is_wanted(f"{folder}{entry.name}"):
                continue
            if kind == "folder":
                folders.append((f"{folder}{entry.name}/", above))
            elif kind == "file":
                yield f"{folder}{entry.name}"


def _kind_of(entry: os.DirEntry[str]) -> str | None:
    if entry.name.startswith(".") or entry.name == "__pycache__":
        return None
    try:
        mode = entry.stat().st_mode
    except OSError:
        return None  # a dangling link, or removed meanwhile
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) and entry.name.endswith(".py") else None
