"""One process under the supervisor: start it, detect its end and the reason, restart it, stop it.

Used only by the supervisor, from its one thread. Each process leads a process group of its own, so
that its children can be killed with it. On Linux the kernel sends it a signal if the supervisor
itself is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO

_PR_SET_PDEATHSIG = 1
_QUICK_DEATH_S = 10.0
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """How to run one process.

    Attributes:
        name: Its name in the log and in the state file.
        command: Its command line.
        death_signal: The signal it gets if the supervisor is killed (Linux only).
        stop_limit_s: How long it may take to stop before it is killed, in seconds.
        descriptors: File descriptors that it inherits under the same numbers.
        environment: Its environment variables; None: those of the supervisor.
    """

    name: str
    command: tuple[str, ...]
    death_signal: signal.Signals
    stop_limit_s: float
    descriptors: tuple[int, ...] = ()
    environment: Mapping[str, str] | None = None


class ManagedProcess:
    """A process as planned, and its state: pid, number of ends, next start."""

    def __init__(self, plan: ProcessSpec) -> None:
        self.plan = plan
        self.deaths = 0
        self.due_at: float | None = 0.0  # when to start it; None while it runs
        self.last_line = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._quick_deaths = 0

    @property
    def name(self) -> str:
        """The name of the process in the log."""
        return self.plan.name

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._process.pid if self._process else None

    def start(self, now: float) -> IO[bytes]:
        """Start the process; return its output, which can be read without blocking."""
        self._process = subprocess.Popen(  # noqa: S603 - commands that we build
            self.plan.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=self.plan.descriptors,
            env=self.plan.environment,
            start_new_session=True,
            preexec_fn=_die_with_parent(self.plan.death_signal),  # noqa: PLW1509 - one thread only
        )
        self._started_at, self.due_at = now, None
        output = self._process.stdout
        assert output is not None  # noqa: S101 - for the type checker: it was asked for
        os.set_blocking(output.fileno(), False)
        return output

    def reap(self, now: float) -> str | None:
        """If the process has ended, kill its group, plan the next start and return the reason."""
        process = self._process
        if process is None or not _has_ended(process.pid):
            return None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # before `wait`: until then the id is not reused
        code = process.wait()
        self.deaths += 1
        self._quick_deaths = (
            self._quick_deaths + 1 if now - self._started_at < _QUICK_DEATH_S else 0
        )
        self.due_at = now + self.delay_s
        self._process = None
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    @property
    def delay_s(self) -> float:
        """How long to wait before the next start; doubles each time it ends soon after a start."""
        if not self._quick_deaths:
            return 0.0
        return min(_FIRST_DELAY_S * 2.0 ** min(self._quick_deaths - 1, 10), _LONGEST_DELAY_S)

    def terminate(self) -> None:
        """Ask the process to stop (SIGTERM)."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process and its group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def _has_ended(pid: int) -> bool:
    """Whether the child has ended; does not reap it, so that its id is not reused."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return what a child does before exec so that it ends with its parent; Linux only."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # the parent was killed before prctl took effect
            os._exit(1)

    return arrange
