"""A page of shared memory in which a runner records which attempts' code it is executing.

The worker makes the page and still has it after the runner has died. It reads the page when the
runner has died or must be killed: only attempts that were executing then can be the cause. The
runner writes serial numbers of attempts (never 0) into int64 cells:

    cell 0           the attempt whose code the event loop executes, 0 if none
    cell 1           the number of steps the event loop has begun, which shows a long step
    cells 8 to 507   one for each thread that runs a function: its attempt, 0 if none

Cells are in the machine's byte order. The runner is not trusted: a cell may hold any number, and
the runner may have shortened the page.
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
    """The worker's side of the page."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def create(cls) -> SharedPage:
        """Make a page of zeros; raises OSError if the system has no more descriptors."""
        descriptor = _anonymous_file()
        try:
            os.ftruncate(descriptor, PAGE_BYTES)
        except OSError:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def fileno(self) -> int:
        """Return the descriptor that the runner maps, -1 when closed."""
        return self._descriptor

    def executing(self) -> set[int]:
        """Return the serials of the attempts whose code is executing now, or was at its death."""
        cells = self._read()
        found = {cells[EXECUTING], *cells[_FIRST_SLOT : _FIRST_SLOT + SLOTS]} if cells else set()
        found.discard(0)
        return found

    def step(self) -> tuple[int, int]:
        """Return the attempt whose code the event loop executes, 0 if none, and its step count."""
        cells = self._read(_STEP_BYTES)
        return (cells[EXECUTING], cells[STEPS]) if len(cells) > STEPS else (0, 0)

    def close(self) -> None:
        """Close the page; safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _read(self, size: int = PAGE_BYTES) -> list[int]:
        # Read with pread, not mapped: if the runner shortened the file, reading the mapping would
        # kill this process with SIGBUS.
        if self._descriptor < 0:
            return []
        try:
            data = os.pread(self._descriptor, size, 0)
        except OSError:
            return []
        return memoryview(data[: len(data) // 8 * 8]).cast("q").tolist()


class RunnersPage:
    """The runner's side of the page; only the event loop's thread calls `enter` and `leave`.

    Attributes:
        cells: The page as int64 cells, for code that writes to them at each event loop step.
    """

    def __init__(self, cells: memoryview[int]) -> None:
        self.cells = cells
        self._free = list(range(_FIRST_SLOT + SLOTS - 1, _FIRST_SLOT - 1, -1))

    @classmethod
    def attach(cls, descriptor: int) -> RunnersPage:
        """Map the worker's page and close the descriptor; raises OSError."""
        try:
            return cls(_mapped(descriptor))
        finally:
            os.close(descriptor)

    @classmethod
    def unshared(cls) -> RunnersPage:
        """Return a page that is not shared, for a runner whose worker has none."""
        return cls(_unmapped())

    def enter(self, serial: int) -> None:
        """Record that the event loop begins to execute code of this attempt."""
        # Steps first: a runner that is killed between the two lines has executed nothing yet.
        self.cells[STEPS] += 1
        self.cells[EXECUTING] = serial

    def leave(self) -> None:
        """Record that the event loop executes no attempt's code."""
        self.cells[EXECUTING] = 0

    def take_slot(self, serial: int) -> int:
        """Record that a thread begins to execute code of this attempt.

        Return its slot, NO_SLOT if none is free. Safe to call from many threads, as `list.pop`
        returns each element to one caller only.
        """
        try:
            slot = self._free.pop()
        except IndexError:
            return NO_SLOT
        self.cells[slot] = serial
        return slot

    def free_slot(self, slot: int) -> None:
        """Record that the thread that took this slot has finished."""
        if slot != NO_SLOT:
            self.cells[slot] = 0  # before the slot is free, or it could erase the next attempt
            self._free.append(slot)

    def detach(self) -> None:
        """Write to private memory from now on; a fork of the runner must not write to the page."""
        self.cells = _unmapped()


def _unmapped() -> memoryview[int]:
    return memoryview(bytearray(PAGE_BYTES)).cast("q")


def _mapped(descriptor: int) -> memoryview[int]:
    """Map a file permanently, without the mmap module, which would keep a descriptor open."""
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
