"""A page of memory in which a runner notes whose code it executes; it outlives the runner.

The worker makes the page and reads it when the runner has died or must be killed: only attempts
that were executing then can be to blame. The runner writes serials of attempts (never 0):

    int64 0          the attempt whose code the event loop runs; 0 while it runs none
    int64 1          how many steps the event loop has run, so that a long one is seen
    int64 8 to 507   one for each thread that runs a function: its attempt, else 0

Numbers are in the machine's byte order. The runner is not trusted: a serial may be any number,
and the page may be shorter than it was.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import tempfile
from typing import Any, Final

PAGE_BYTES: Final = 4_096
SLOTS: Final = 500
NO_SLOT: Final = -1
EXECUTING: Final = 0
STEPS: Final = 1
_FIRST_SLOT: Final = 8
_STEP_BYTES: Final = 16


class SharedPage:
    """The worker's side."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def create(cls) -> SharedPage:
        """Make one, all zeros; raises OSError where the system has no more descriptors."""
        descriptor = _anonymous_file()
        try:
            os.ftruncate(descriptor, PAGE_BYTES)
        except OSError:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def fileno(self) -> int:
        """Return the descriptor that the runner attaches, -1 when closed."""
        return self._descriptor

    def executing(self) -> set[int]:
        """Return the serials of the attempts whose code is executed at this moment."""
        cells = self._read()
        found = {cells[EXECUTING], *cells[_FIRST_SLOT : _FIRST_SLOT + SLOTS]} if cells else set()
        found.discard(0)
        return found

    def step(self) -> tuple[int, int]:
        """Return whose code the event loop runs, 0 if nobody's, and how many steps it has begun."""
        cells = self._read(_STEP_BYTES)
        return (cells[EXECUTING], cells[STEPS]) if len(cells) > STEPS else (0, 0)

    def close(self) -> None:
        """Give the page up; twice is safe."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _read(self, size: int = PAGE_BYTES) -> list[int]:
        # Not mapped here: the runner could shorten the file, and reading would end this process.
        if self._descriptor < 0:
            return []
        try:
            data = os.pread(self._descriptor, size, 0)
        except OSError:
            return []
        return memoryview(data[: len(data) // 8 * 8]).cast("q").tolist()


class RunnersPage:
    """The runner's side; the event loop's thread alone calls `enter` and `leave`.

    Attributes:
        cells: The page as int64, for whoever writes there at each step of the event loop.
    """

    def __init__(self, cells: memoryview[int]) -> None:
        self.cells = cells
        self._free = list(range(_FIRST_SLOT + SLOTS - 1, _FIRST_SLOT - 1, -1))

    @classmethod
    def attach(cls, descriptor: int) -> RunnersPage:
        """Map the page that the worker gives; its descriptor is closed. Raises OSError."""
        try:
            return cls(_mapped(descriptor))
        finally:
            os.close(descriptor)

    @classmethod
    def unshared(cls) -> RunnersPage:
        """Return a page that nobody reads, where the worker gives none."""
        return cls(_unmapped())

    def enter(self, serial: int) -> None:
        """Note that the event loop runs code of this attempt from now on."""
        self.cells[STEPS] += 1
        self.cells[EXECUTING] = serial

    def leave(self) -> None:
        """Note that the event loop runs no attempt's code."""
        self.cells[EXECUTING] = 0

    def take_slot(self, serial: int) -> int:
        """Note that a thread runs code of this attempt; return its slot, NO_SLOT if none is left.

        Safe to call from many threads: a list hands out each element once.
        """
        try:
            slot = self._free.pop()
        except IndexError:
            return NO_SLOT
        self.cells[slot] = serial
        return slot

    def free_slot(self, slot: int) -> None:
        """Note that the thread which took this slot is done."""
        if slot != NO_SLOT:
            self.cells[slot] = 0
            self._free.append(slot)

    def detach(self) -> None:
        """Write elsewhere from now on, as a fork of the runner must."""
        self.cells = _unmapped()


def _unmapped() -> memoryview[int]:
    return memoryview(bytearray(PAGE_BYTES)).cast("q")


def _mapped(descriptor: int) -> memoryview[int]:
    """Map a file for good. The module mmap would keep a copy of the descriptor open."""
    call: Any = ctypes.CDLL(None, use_errno=True).mmap
    call.restype = ctypes.c_void_p
    call.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_longlong]
    access = mmap.PROT_READ | mmap.PROT_WRITE
    address = call(None, PAGE_BYTES, access, mmap.MAP_SHARED, descriptor, 0)
    if address == ctypes.c_void_p(-1).value:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    memory = (ctypes.c_char * PAGE_BYTES).from_address(address)
    return memoryview(memory).cast("B").cast("q")


def _anonymous_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("page", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
