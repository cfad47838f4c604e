"""Attempts through a real executor on a loop that the measurement turns itself."""

from __future__ import annotations

import time
from collections.abc import Sequence

from runtime.execution.assignment import Assignment
from runtime.execution.executor import Executor
from runtime.execution.run import Run
from runtime.execution.runner_protocol import RunnerLimits
from runtime.loop import Loop
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options

_LIMITS = RunnerLimits(max_result_bytes=1 << 20, max_log_bytes=1 << 16)
_LONGEST_TURN_S = 1.0
_MOST_ATTEMPTS = 10**9  # the runner is not replaced meanwhile


class OnExecutor:
    """Runs attempts of one function `noop` in one runner.

    Raises:
        RuntimeError: At an attempt that does not succeed.
    """

    def __init__(self, server: ForkServer, bundle: Bundle) -> None:
        self.loop = Loop()
        self.executor = Executor(
            self.loop, server, size=1, limits=_LIMITS, most_attempts=_MOST_ATTEMPTS
        )
        self._bundle = bundle
        self._manifest = Manifest(
            name="noop", version=bundle.version, file=bundle.file, options=Options()
        )
        self._number = 0
        self._left = 0
        self._failure = ""

    def run_all(self, arguments: Sequence[bytes]) -> None:
        """Have them run at once, and turn the loop until they are over."""
        self._left += len(arguments)
        for data in arguments:
            self._begin(data)
        while self._left and not self._failure:
            self.loop.turn(_LONGEST_TURN_S)
        if self._failure:
            raise RuntimeError(f"an attempt ended as {self._failure}")

    def stop(self) -> None:
        """Kill the runner."""
        self.executor.stop()
        while self.executor.pool.view():
            self.loop.turn(_LONGEST_TURN_S)
        self.loop.close()

    def on_note(self, run: Run, kind: str, payload: bytes) -> None:
        """See `runtime.execution.run.Listener`."""

    def is_full(self, run: Run) -> bool:
        """See `runtime.execution.run.Listener`."""
        del run
        return False

    def on_ended(self, run: Run) -> None:
        """See `runtime.execution.run.Listener`."""
        self._left -= 1
        if run.ending is None or run.ending.kind != "succeeded":
            self._failure = str(run.ending)

    def on_returned(self, run: Run) -> None:
        """See `runtime.execution.run.Listener`."""
        self._begin(run.assignment.arguments)

    def _begin(self, arguments: bytes) -> None:
        self._number += 1
        assignment = Assignment(
            id=f"0192aaaa-aaaa-aaaa-aaaa-{self._number:012}",
            function="noop",
            version=self._bundle.version,
            attempt=1,
            arguments=arguments,
        )
        run = Run(assignment, self._manifest, self._bundle, self, created_at=time.monotonic())
        self.executor.run(run)
