"""The record of what the last publisher published: the files, their versions, and the folder.

It is stored in Redis beside the manifests. Every worker can compare its own folder with it, and
the next publisher learns from it whether it may withdraw functions that its folder does not have.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from runtime.registry.discovery import FoundFile

_DIGEST_DIGITS = 12
Versions = Mapping[str, str]  # function file → version of its bundle


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One state of what is published.

    Attributes:
        folder: The folder that others are compared with, as `identify_folder` names it.
        files: Version of each published function file's bundle.
        kept: Files that stay published although the folder does not have them in this version.
    """

    folder: str
    files: dict[str, str]
    kept: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """Return the state as JSON."""
        return msgspec.json.encode(self)


_decoder = msgspec.json.Decoder(Publication)


def decode_publication(data: bytes | None) -> Publication | None:
    """Decode a publication; None if there is none or another release of Penstock wrote it."""
    try:
        return None if data is None else _decoder.decode(data)
    except msgspec.MsgspecError:
        return None


def identify_folder(root: Path) -> str:
    """Return the identity of a folder: the machine's name and the real path."""
    return f"{socket.gethostname()}:{os.path.realpath(root)}"


def versions_of(found: Iterable[FoundFile]) -> dict[str, str]:
    """Return the version of each function file; for a file with an error, `!` and its type."""
    return {
        each.file: each.bundle.version if each.bundle else f"!{each.error and each.error.type}"
        for each in found
    }


def digest_of(files: Versions) -> str:
    """Return a digest of files and versions; equal folders have equal digests."""
    text = "".join(f"{file}\0{version}\n" for file, version in sorted(files.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]


def differing(mine: Versions, theirs: Versions) -> list[str]:
    """Return the files that only one side has or that differ in version, sorted."""
    names = sorted(mine.keys() | theirs.keys())
    return [name for name in names if mine.get(name) != theirs.get(name)]
