"""The processes of one system under test: started together, stopped together.

Each part leads a process group of its own; what is left of it after a polite request is
killed. Used by the systems.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_STOP_LIMIT_S = 15.0
_READY_LIMIT_S = 30.0


class NotReadyError(Exception):
    """A system did not come up; the text holds the end of its log."""


@dataclass(slots=True)
class Parts:
    """What runs, by name, and where it writes.

    Args:
        folder: A private folder: the socket of Redis, logs, data.
    """

    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(
        self, name: str, command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str]
    ) -> None:
        """Start a part; what it prints goes into a file of its own."""
        if name in self.running:
            raise RuntimeError(f"{name} runs already")
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [str(word) for word in command],
                cwd=cwd,
                env=dict(env),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, names: Sequence[str] | None = None) -> None:
        """Stop parts, all of them unless named, the last started first."""
        chosen = [name for name in reversed(self.running) if names is None or name in names]
        for name in chosen:
            self.running[name].send_signal(signal.SIGTERM)
        for name in chosen:
            part = self.running.pop(name)
            with contextlib.suppress(subprocess.TimeoutExpired):
                part.wait(_STOP_LIMIT_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(part.pid, signal.SIGKILL)
            part.wait()

    def await_ready(self, check: Callable[[], bool]) -> None:
        """Wait until `check` holds.

        Raises:
            NotReadyError: A part ended, or it took too long.
        """
        deadline = time.monotonic() + _READY_LIMIT_S
        while not check():
            ended = [name for name, part in self.running.items() if part.poll() is not None]
            if ended or time.monotonic() > deadline:
                raise NotReadyError(f"{ended or 'nobody'} ended\n{self.read_logs()}")
            time.sleep(0.05)

    def read_logs(self) -> str:
        """Return the ends of all logs."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-2000:]}"
            for path in sorted(self.folder.glob("*.log"))
        )

    def processes(self) -> list[psutil.Process]:
        """Return every living process of the system."""
        found: list[psutil.Process] = []
        for part in self.running.values():
            try:
                top = psutil.Process(part.pid)
                found += [top, *top.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
        return found

    def memory_mb(self) -> float:
        """Return what all processes hold, a page that several share divided among them."""
        held = 0
        for process in self.processes():
            with contextlib.suppress(OSError, psutil.Error):  # it may end meanwhile
                held += process.memory_full_info().pss
        return held / 1e6


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """Return this environment without settings of ours, which would change what is measured."""
    return {
        name: value
        for name, value in os.environ.items()  # noqa: TID251
        if not name.startswith(("PENSTOCK_", "BENCH_"))
    }
