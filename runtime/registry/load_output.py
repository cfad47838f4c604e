"""Limit what a file may print while the publisher loads it.

The output goes to the worker's log, which is for the operator: a file that prints without end must
not fill it. Output that does not go through `sys.stdout` or `sys.stderr` is dropped.
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
    """A raw file that writes the first `most_bytes` to a descriptor and drops the rest."""

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
    """Limit this process's output from now on to `MOST_BYTES`."""
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
