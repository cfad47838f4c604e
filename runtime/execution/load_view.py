"""What is shown of the runners of a worker: how full they are, and how long one is waited for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtime.execution.runner import Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerLoad:
    """What lies with one runner process.

    Attributes:
        pid: Of the process.
        function: What it runs, or "" while it runs nothing.
        version: Of its file.
        in_flight: How many attempts lie with it.
        window: How many may.
    """

    pid: int
    function: str
    version: str
    in_flight: int
    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerWait:
    """How many attempts waited for a runner since the worker started, and how long in all."""

    count: int = 0
    sum_s: float = 0.0


def load_of_runner(runner: Runner) -> RunnerLoad:
    """Return what lies with a runner."""
    return RunnerLoad(
        pid=runner.process.pid,
        function=runner.function,
        version=runner.key.version,
        in_flight=runner.held,
        window=runner.window,
    )
