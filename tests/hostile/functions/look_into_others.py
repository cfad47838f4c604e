"""Try to look into the fork server and into the runners beside this one."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

C = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_DETACH, PTRACE_SEIZE = 16, 17, 0x4206


class Span(ctypes.Structure):
    """A piece of memory, as `process_vm_readv` takes it."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def look_into_others() -> dict[str, list[str]]:
    """Return which ways into which processes are open."""
    server = os.getppid()
    runners = [pid for pid in children_of(server) if pid != os.getpid()]
    ways = {"memory": open_memory, "read": read_memory, "seize": seize, "attach": attach}
    ways |= {"environment": read_environment, "descriptors": list_descriptors}
    found: dict[str, list[str]] = {"looked_at": [str(len(runners))]}
    for name, pids in {"server": [server], "runner": runners}.items():
        found[name] = [way for way, is_open in ways.items() if any(map(is_open, pids))]
    return found


def children_of(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text().split()]


def works(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError:
        return False
    return True


def open_memory(pid: int) -> bool:
    return works(lambda: Path(f"/proc/{pid}/mem").open("r+b").close())


def read_environment(pid: int) -> bool:
    return works(Path(f"/proc/{pid}/environ").read_bytes)


def list_descriptors(pid: int) -> bool:
    return works(lambda: [link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir()])


def read_memory(pid: int) -> bool:
    buffer = ctypes.create_string_buffer(8)
    here = Span(ctypes.addressof(buffer), 8)
    there = Span(id(os), 8)  # forks have it at the same place
    return C.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0


def seize(pid: int) -> bool:
    return trace(PTRACE_SEIZE, pid)


def attach(pid: int) -> bool:
    return trace(PTRACE_ATTACH, pid)


def trace(how: int, pid: int) -> bool:
    is_open = C.ptrace(how, pid, None, None) == 0
    if is_open:
        os.waitpid(pid, 0) if how == PTRACE_ATTACH else None
        C.ptrace(PTRACE_DETACH, pid, None, None)
    return is_open
