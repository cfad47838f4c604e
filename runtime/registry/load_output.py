"""What a file may print while it is looked at: a little, into the worker's log.

The log of a system is its operator's; a file that prints without end while it loads must
not fill it, nor hold up who reads it. What does not come through Python is dropped.
"""

from __future__ import annotations

import io
import os
import sys
from typing import cast

from typing_extensions import Buffer

MOST_BYTES = 64 * 1024
MARK = b"\n[output while loading truncated: at most %d bytes are shown]\n" % MOST_BYTES


class _BoundedFile(io.RawIOBase):
    """A raw file that passes on its first bytes and drops the rest."""

    def __init__(self, descriptor: int, most_bytes: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._left = most_bytes

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: Buffer) -> int:
        taken = bytes(data)
        if self._left > 0:
            shown = taken if len(taken) <= self._left else taken[: self._left] + MARK
            self._left -= len(taken)
            os.write(self._descriptor, shown)
        return len(taken)


def bound_output() -> None:
    """Let at most `MOST_BYTES` of this process's output through, from now on."""
    shown = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    raw = cast("io.RawIOBase", _BoundedFile(shown, MOST_BYTES))
    stream = io.TextIOWrapper(
        io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True
    )
    sys.stdout = sys.stderr = stream
