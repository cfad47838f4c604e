"""Keeps the processes of `up` running: starts them, restarts those that end, stops them in order.

One thread waits on one selector for the processes' output, for signals and for the next due start.
At rest nothing wakes it. Its life cycle:

    starting ──▶ ready ──▶ stopping ──▶ done
        └── a process ends 4 times before ready ──▶ stopping (exit code CANNOT_START)
"""

from __future__ import annotations

import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from typing import IO

from gateway.cli.errors import ExitCode
from gateway.cli.up.log_merge import Lines, Log, tidy
from gateway.cli.up.managed_process import ManagedProcess, ProcessSpec

OWN_NAME = "penstock"
REDIS = "redis"
_MOST_DEATHS_BEFORE_READY = 4
_POLL_S = 0.05
_PATIENCE_S = 10.0
_ONE_STOP_S = 1.0  # a terminal and `make` may both send the signal for one Ctrl-C
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs processes until it gets a stop signal.

    Args:
        stages: The processes in the order of starting. A stage starts when the one before it is
            up; stages stop one after the other, the last started first.
        log: Where the processes' output and the supervisor's own lines go.
        may_continue: Whether the stage at this index is up, so that the next one may start.
        is_ready: Whether the whole system is ready; called until it returns True.
        on_ready: Called once, when the system is ready.
        on_change: Called with name → pid after a process was started.
    """

    def __init__(
        self,
        stages: Sequence[Sequence[ProcessSpec]],
        *,
        log: Log,
        may_continue: Callable[[int], bool],
        is_ready: Callable[[], bool],
        on_ready: Callable[[], None],
        on_change: Callable[[dict[str, int]], None],
    ) -> None:
        self._stages = [[ManagedProcess(plan) for plan in stage] for stage in stages]
        self._log = log
        self._may_continue = may_continue
        self._is_ready = is_ready
        self._on_ready = on_ready
        self._on_change = on_change
        self._started_stages = 0
        self._ready = False
        self._stopping = False
        self._asked_to_stop_at = 0.0
        self._exit_code = ExitCode.OK
        self._patience_ends_at = time.monotonic() + _PATIENCE_S
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._wakeup_end = socket.socketpair()

    def run(self) -> ExitCode:
        """Start everything, run until a stop signal, stop everything; return the exit code."""
        self._listen_to_signals()
        try:
            while not self._stopping:
                self._advance()
                self._wait(self._next_wait_s())
        finally:
            self._stop()
        return self._exit_code

    # One turn

    def _advance(self) -> None:
        """Reap ended processes, start those that are due, and check whether all are ready."""
        now = time.monotonic()
        self._reap(now)
        if self._stopping:
            return
        started = self._start_due(now)
        if started:
            self._on_change({part.name: part.pid for part in self._parts() if part.pid})
        if not self._ready:
            self._see_readiness(now)

    def _start_due(self, now: float) -> bool:
        started = False
        while self._started_stages < len(self._stages) and (
            not self._started_stages or self._may_continue(self._started_stages - 1)
        ):
            self._started_stages += 1
        for part in self._parts():
            if part.due_at is not None and part.due_at <= now:
                self._watch(part, part.start(now))
                started = True
                if part.deaths:
                    self._log.write(OWN_NAME, f"{part.name} started again (pid {part.pid})")
        return started

    def _see_readiness(self, now: float) -> None:
        everything = self._started_stages == len(self._stages)
        if everything and all(part.pid for part in self._parts()) and self._is_ready():
            self._ready = True
            self._on_ready()
        elif now > self._patience_ends_at:
            self._patience_ends_at = now + _PATIENCE_S
            self._log.write(OWN_NAME, "still starting")

    def _reap(self, now: float) -> None:
        for part in self._parts():
            pid = part.pid
            reason = part.reap(now)
            if reason is None:
                continue
            if not self._ready and part.deaths >= _MOST_DEATHS_BEFORE_READY:
                self._drain()
                said = f"; it last said: {part.last_line}" if part.last_line else ""
                self._log.write(OWN_NAME, f"{part.name} does not start ({reason}){said}")
                self._exit_code, self._stopping = ExitCode.CANNOT_START, True
                return
            soon = f"in {part.delay_s:.1f} s" if part.delay_s else "now"
            self._log.write(
                OWN_NAME, f"{part.name} (pid {pid}) ended: {reason}; starting it again {soon}"
            )

    def _next_wait_s(self) -> float | None:
        if not self._ready:
            return _POLL_S
        due = [part.due_at for part in self._parts() if part.due_at is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    # Stopping

    def _stop(self) -> None:
        """Stop stage by stage, the last started first; kill what exceeds its limit."""
        for stage in reversed(self._stages[: self._started_stages]):
            running = [part for part in stage if part.pid]
            if not running:
                continue
            self._log.write(OWN_NAME, f"stopping {', '.join(part.name for part in running)}")
            for part in running:
                part.terminate()
            limit_s = max(part.plan.stop_limit_s for part in running)
            deadline = time.monotonic() + limit_s
            self._wait_for_end(running, deadline)
            for part in running:
                if part.pid:
                    self._log.write(
                        OWN_NAME, f"killing {part.name}: still running after {limit_s:.0f} s"
                    )
                    part.kill()
            self._wait_for_end(running, time.monotonic() + limit_s)
        self._drain()

    def _wait_for_end(self, parts: Sequence[ManagedProcess], deadline: float) -> None:
        """Wait until all have ended; return early if a second stop signal arrives."""
        while any(part.pid for part in parts) and (left_s := deadline - time.monotonic()) > 0:
            if self._wait(left_s):
                return
            for part in parts:
                part.reap(time.monotonic())

    # Output and signals

    def _wait(self, timeout_s: float | None) -> bool:
        """Wait for output or a signal; return whether a second stop signal arrived."""
        impatient = False
        for key, _ in self._selector.select(timeout_s):
            if isinstance(key.data, tuple):
                self._copy(key.fileobj, *key.data)  # type: ignore[arg-type]
            else:
                numbers = self._wakeup_end.recv(64)
                if any(number in _STOP_SIGNALS for number in numbers):
                    impatient = self._receive_stop(time.monotonic())
        return impatient

    def _receive_stop(self, now: float) -> bool:
        """Record a stop signal; return whether the first one was over a second ago."""
        if not self._stopping:
            self._stopping, self._asked_to_stop_at = True, now
            return False
        return now - self._asked_to_stop_at > _ONE_STOP_S

    def _drain(self) -> None:
        """Copy the remaining output of the processes to the log."""
        while any(isinstance(key.data, tuple) for key, _ in self._selector.select(0)):
            self._wait(0)

    def _copy(self, output: IO[bytes], part: ManagedProcess, lines: Lines) -> None:
        texts, ended = lines.read(output)
        is_redis = part.name == REDIS
        shown = [line for text in texts if (line := tidy(text, is_redis=is_redis)) is not None]
        if shown:
            part.last_line = shown[-1]
            self._log.write(part.name, *shown)
        if ended:
            self._selector.unregister(output)
            output.close()

    def _watch(self, part: ManagedProcess, output: IO[bytes]) -> None:
        self._selector.register(output, selectors.EVENT_READ, (part, Lines()))

    def _listen_to_signals(self) -> None:
        self._wakeup.setblocking(False)  # noqa: FBT003 - the standard library's signature
        signal.set_wakeup_fd(self._wakeup.fileno())
        for number in (*_STOP_SIGNALS, signal.SIGCHLD):
            if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:
                signal.signal(number, lambda *_: None)
        self._selector.register(self._wakeup_end, selectors.EVENT_READ)

    def _parts(self) -> list[ManagedProcess]:
        return [part for stage in self._stages[: self._started_stages] for part in stage]
