"""What a fresh child gives up before it runs anything of others.

Own session, death with its parent, limits on memory, files and cores, default signals, no
descriptor but its channel and 0-2. Called once, by `runtime.processes.child`,
between fork and entry; everything here acts on the calling process.
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
_LIBRARY_BYTES = 64 * 1024 * 1024  # what a library may ask for at once
_ATTRIBUTES_BYTES = 256  # more than a pthread_attr_t has anywhere
_OWN_ADJUSTMENT = Path("/proc/self/oom_score_adj")
_OUT_OF_MEMORY_SCORE = 500  # of 1000
_OWN_STATUS = Path("/proc/self/status")

# Loaded once, before any fork: after it, allocating is best left to the child's own work.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_EXIT_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)
_limits: dict[int, int] = {}  # of this process
_kept: list[object] = []  # C does not hold what it will call


def leave_session() -> None:
    """Become the leader of an own session and process group."""
    os.setsid()


def die_with_parent(parent_pid: int) -> None:
    """End when the parent does, even by SIGKILL; at once if it has already."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has died (Linux)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def offer_to_the_kernel() -> None:
    """Be ended before Redis and the workers when the machine has no memory left (Linux).

    Said by the fork server, before it hides: what it forks takes it over, and could not say it.
    """
    with contextlib.suppress(OSError):
        _OWN_ADJUSTMENT.write_text(f"{_OUT_OF_MEMORY_SCORE}", encoding="ascii")


def restore_signals() -> None:
    """Give every signal the handler a fresh interpreter gives it."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        with contextlib.suppress(OSError, ValueError):  # SIGKILL, SIGSTOP and the C library's own
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def limit_memory(memory_bytes: int | None) -> None:
    """Make allocations beyond `memory_bytes` raise MemoryError; never write a core file.

    RLIMIT_DATA counts what a process may write to, and so what it really uses.
    RLIMIT_AS counts reserved address space too: an arena of 64 MiB per thread and every
    mapped library, so that under 64 MiB eight threads failed that needed 24 MiB.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes is not None:
        with contextlib.suppress(ValueError, OSError):  # a lower hard limit is already in force
            resource.setrlimit(_MEMORY, (memory_bytes, memory_bytes + _RESERVE_BYTES))
            _limits[os.getpid()] = memory_bytes


def shrink_thread_stacks() -> None:
    """Give new threads a stack of 1 MiB, those of C libraries too (with glibc).

    Of the usual 8 MiB hardly anything is used, but all of it counts as memory.
    """
    threading.stack_size(_STACK_BYTES)
    set_default = getattr(_libc, "pthread_setattr_default_np", None)
    if _libc is not None and set_default is not None:
        attributes = ctypes.create_string_buffer(_ATTRIBUTES_BYTES)
        if _libc.pthread_getattr_default_np(attributes) == 0:
            _libc.pthread_attr_setstacksize(attributes, ctypes.c_size_t(_STACK_BYTES))
            set_default(attributes)


def memory_limit() -> int | None:
    """Return the limit that was set for this process, without the reserve; None without one."""
    return _limits.get(os.getpid())


def memory_taken() -> int | None:
    """Return the bytes that count against the limit; None where the system does not tell."""
    with contextlib.suppress(OSError, ValueError):
        for line in _OWN_STATUS.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return None


def is_memory_short(wanted_bytes: int = _LIBRARY_BYTES) -> bool:
    """Whether less than this is left of the limit."""
    limit, taken = memory_limit(), memory_taken()
    return limit is not None and taken is not None and taken + wanted_bytes > limit


def has_no_stack() -> bool:
    """Whether the limit is why no thread can be started."""
    return is_memory_short(4 * _STACK_BYTES)


def at_exit_of_c(act: Callable[[], None]) -> None:
    """Call this when a C library ends the process by `exit`, which Python does not see (glibc)."""
    on_exit = getattr(_libc, "on_exit", None)
    if on_exit is not None:
        handler = _EXIT_HANDLER(lambda code, argument: act())  # noqa: ARG005 - as C calls it
        _kept.append(handler)
        on_exit(handler, None)


def limit_descriptors() -> None:
    """Refuse more open files than a function has use for; the whole machine shares them."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    with contextlib.suppress(ValueError, OSError):  # some number above it is open: not ours
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def use_memory_reserve() -> None:
    """Let a process that has run out allocate a little more, to say so before it ends."""
    hard = resource.getrlimit(_MEMORY)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(_MEMORY, (hard, hard))


def keep_only(descriptor: int) -> int:
    """Close every descriptor but 0-2 and this one, which moves up; return its new number.

    Descriptor 0 is the fork server's, /dev/null. The new number is high so that code which
    closes "the first few" does not meet it.
    """
    highest = os.sysconf("SC_OPEN_MAX")
    wanted = min(_HIGH_DESCRIPTOR, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 8)
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, wanted)
    os.closerange(3, moved)
    os.closerange(moved + 1, highest)
    for number in (1, 2):  # the worker itself may have been started without
        try:
            os.fstat(number)
        except OSError:
            os.dup2(0, number)
    return moved
