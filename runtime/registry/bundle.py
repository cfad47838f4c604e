"""The source of a function file with its helpers.

A `Bundle` has the source of one function file and of the helper files that it may import.
Discovery makes it in the publisher, and a child process loads it.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath

from runtime.dependencies.lock import Lock, lock_from

_VERSION_DIGITS = 12
_COMPRESSION_LEVEL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A function file with its helpers.

    Attributes:
        root: Absolute path of the functions folder; `__file__` and tracebacks show it.
        file: Path of the function file, relative to root, with `/`.
        sources: Source bytes of the function file and its helpers, by relative path.
        lock: The packages that it needs, None if it runs in Penstock's own environment.
        version: First 12 hex digits of a SHA-256 hash over paths, sources and lock. The root is
            left out, so two machines with the same files have the same version.
    """

    root: str
    file: str
    sources: Mapping[str, bytes]
    lock: Lock | None = None
    version: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", _digest(self.file, self.sources, self.lock))

    @property
    def default_name(self) -> str:
        """The function name that the file stands for: its path with dots."""
        return ".".join(PurePosixPath(self.file).with_suffix("").parts)

    @property
    def prefix(self) -> str:
        """The prefix of the file's function names: its folder with dots, and a dot at the end."""
        return "".join(f"{part}." for part in PurePosixPath(self.file).parent.parts)

    def path_of(self, file: str) -> str:
        """Return the absolute path of one of the files."""
        return f"{self.root}/{file}"

    def file_of(self, path: str) -> str | None:
        """Return the file at an absolute path, None if the path is not of this bundle."""
        file = path.removeprefix(f"{self.root}/")
        return file if file in self.sources and path != file else None

    def encode(self) -> bytes:
        """Return the bundle as compressed bytes."""
        index: dict[str, object] = {
            "root": self.root,
            "file": self.file,
            "sources": {file: len(source) for file, source in self.sources.items()},
        }
        if self.lock is not None:
            index["lock"] = asdict(self.lock)
        head = json.dumps(index).encode()
        return zlib.compress(
            b"\n".join((head, b"".join(self.sources.values()))), _COMPRESSION_LEVEL
        )


def decode_bundle(data: bytes) -> Bundle:
    """Decode what `Bundle.encode` returned."""
    head, _, body = zlib.decompress(data).partition(b"\n")
    index = json.loads(head)
    sources: dict[str, bytes] = {}
    start = 0
    for file, size in index["sources"].items():
        sources[file] = body[start : start + size]
        start += size
    lock = index.get("lock")
    return Bundle(
        root=index["root"],
        file=index["file"],
        sources=sources,
        lock=None if lock is None else lock_from(lock),
    )


def _digest(file: str, sources: Mapping[str, bytes], lock: Lock | None) -> str:
    digest = hashlib.sha256(file.encode("utf-8", "surrogateescape"))
    for path in sorted(sources):
        source = sources[path]
        digest.update(f"\0{path}\0{len(source)}\0".encode("utf-8", "surrogateescape"))
        digest.update(source)
    if lock is not None:
        digest.update(lock.digest)
    return digest.hexdigest()[:_VERSION_DIGITS]
