"""What the last publisher had published: which files in which versions, out of which folder.

Kept in Redis beside the manifests, so that every worker can compare its own folder with it, and
so that the next publisher knows whether it may withdraw what its folder does not hold.
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
        folder: The folder that has the say, see `identify_folder`.
        files: Function files to the versions of their bundles.
        kept: Files of these that are published although that folder does not hold them so.
    """

    folder: str
    files: dict[str, str]
    kept: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """Return the state as JSON."""
        return msgspec.json.encode(self)


_decoder = msgspec.json.Decoder(Publication)


def decode_publication(data: bytes | None) -> Publication | None:
    """Read what `encode` wrote; None for none, or for what another release of Penstock wrote."""
    try:
        return None if data is None else _decoder.decode(data)
    except msgspec.MsgspecError:
        return None


def identify_folder(root: Path) -> str:
    """Return what a folder is known by: the machine's name, and its path there."""
    return f"{socket.gethostname()}:{os.path.realpath(root)}"


def versions_of(found: Iterable[FoundFile]) -> dict[str, str]:
    """Return the version of each function file; what cannot be one has its fault in that place."""
    return {
        each.file: each.bundle.version if each.bundle else f"!{each.error and each.error.type}"
        for each in found
    }


def digest_of(files: Versions) -> str:
    """Return a digest of files and their versions; equal folders have equal ones."""
    text = "".join(f"{file}\0{version}\n" for file, version in sorted(files.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]


def differing(mine: Versions, theirs: Versions) -> list[str]:
    """Return the files that are in one place only or in another version, sorted."""
    names = sorted(mine.keys() | theirs.keys())
    return [name for name in names if mine.get(name) != theirs.get(name)]
