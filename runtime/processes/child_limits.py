"""Limits on the calling process, set before it runs function code.

`runtime.processes.child` applies them to each forked child: its own session, death with its
parent, default signal handlers, no descriptors except its channel and 0-2, limits on memory and
open files, and no core files. The fork server and the code inside a child use the rest.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_HIGH_DESCRIPTOR = 500
_MEMORY = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
_MOST_DESCRIPTORS = 4096
_RESERVE_BYTES = 32 * 1024 * 1024
_STACK_BYTES = 1024 * 1024
_LIBRARY_BYTES = 64 * 1024 * 1024  # what a library may allocate at once
_ATTRIBUTES_BYTES = 256  # more than the size of a pthread_attr_t on any platform
_OWN_ADJUSTMENT = Path("/proc/self/oom_score_adj")
_OUT_OF_MEMORY_SCORE = 500  # of 1000; the highest is killed first
_OWN_STATUS = Path("/proc/self/status")

# Loaded once, before any fork, so that no child has to load it again.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_EXIT_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)
_limits: dict[int, int] = {}  # pid -> bytes; by pid, as a fork inherits this dictionary
_kept: list[object] = []  # keeps callbacks alive that C code will call


def die_with_parent(parent_pid: int) -> None:
    """Be killed when the parent ends (Linux); exit at once if it has already ended."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # After prctl: a parent that ended before it sends no signal, but shows here.
    if os.getppid() != parent_pid:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has ended (Linux)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def offer_to_the_kernel() -> None:
    """Have the kernel kill this process before Redis and the workers if memory runs out (Linux).

    The fork server calls it before `hide_from_own_user`, which makes the file unwritable. Forked
    children inherit the score.
    """
    with contextlib.suppress(OSError):
        _OWN_ADJUSTMENT.write_text(f"{_OUT_OF_MEMORY_SCORE}", encoding="ascii")


def restore_signals() -> None:
    """Give every signal the handler that a new interpreter gives it."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        # SIGKILL, SIGSTOP and the signals that the C library uses cannot be set.
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def limit_memory(memory_bytes: int | None) -> None:
    """Make allocations beyond `memory_bytes` raise MemoryError; never write a core file.

    RLIMIT_DATA counts writable memory, which is close to what a process uses. RLIMIT_AS also
    counts reserved address space: every mapped library, and an arena of 64 MiB per thread. With
    RLIMIT_AS at 64 MiB, eight threads failed that needed 24 MiB.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes is not None:
        with contextlib.suppress(ValueError, OSError):  # a lower hard limit is already in force
            resource.setrlimit(_MEMORY, (memory_bytes, memory_bytes + _RESERVE_BYTES))
            _limits[os.getpid()] = memory_bytes


def shrink_thread_stacks() -> None:
    """Give new threads a stack of 1 MiB, including threads of C libraries (with glibc).

    The usual 8 MiB count against the memory limit in full, though hardly any of it is used.
    """
    threading.stack_size(_STACK_BYTES)
    set_default = getattr(_libc, "pthread_setattr_default_np", None)
    if _libc is not None and set_default is not None:
        attributes = ctypes.create_string_buffer(_ATTRIBUTES_BYTES)
        if _libc.pthread_getattr_default_np(attributes) == 0:
            _libc.pthread_attr_setstacksize(attributes, ctypes.c_size_t(_STACK_BYTES))
            set_default(attributes)


def memory_limit() -> int | None:
    """Return the memory limit of this process without the reserve, None if it has no limit."""
    return _limits.get(os.getpid())


def memory_taken() -> int | None:
    """Return the bytes that count against the limit, None if the system does not report them."""
    with contextlib.suppress(OSError, ValueError):
        for line in _OWN_STATUS.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return None


def is_memory_short(wanted_bytes: int = _LIBRARY_BYTES) -> bool:
    """Whether fewer than `wanted_bytes` are left of the memory limit."""
    limit, taken = memory_limit(), memory_taken()
    return limit is not None and taken is not None and taken + wanted_bytes > limit


def has_no_stack() -> bool:
    """Whether too little memory is left under the limit to start a thread."""
    return is_memory_short(4 * _STACK_BYTES)


def at_exit_of_c(act: Callable[[], None]) -> None:
    """Call `act` when a C library ends the process by `exit`, bypassing Python (glibc only)."""
    on_exit = getattr(_libc, "on_exit", None)
    if on_exit is not None:
        handler = _EXIT_HANDLER(lambda code, argument: act())  # noqa: ARG005 - as C calls it
        _kept.append(handler)
        on_exit(handler, None)


def limit_descriptors() -> None:
    """Limit open files to 4,096: the system's total is shared by all processes."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    with contextlib.suppress(ValueError, OSError):  # the system refuses: keep the old limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def use_memory_reserve() -> None:
    """Raise the memory limit by the reserve, so that the process can report that it ran out."""
    hard = resource.getrlimit(_MEMORY)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(_MEMORY, (hard, hard))


def move_up(descriptor: int, lowest: int) -> int:
    """Move a descriptor to a high number, out of reach of code that closes all low ones."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)
    os.close(descriptor)
    return moved


def keep_only(descriptor: int) -> int:
    """Close all descriptors except 0-2 and `descriptor`, which gets a high number; return that.

    Descriptor 0 is /dev/null, inherited from the fork server. The number is high so that code
    that closes all low descriptors does not close the channel.
    """
    highest = os.sysconf("SC_OPEN_MAX")
    wanted = min(_HIGH_DESCRIPTOR, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 8)
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, wanted)
    os.closerange(3, moved)
    os.closerange(moved + 1, highest)
    for number in (1, 2):  # the worker may have been started without an output
        try:
            os.fstat(number)
        except OSError:
            os.dup2(0, number)
    return moved
