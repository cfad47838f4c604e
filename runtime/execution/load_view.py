"""The load of a worker's runners, and how long attempts wait for one, as shown to operators."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerLoad:
    """The load of one runner process.

    Attributes:
        pid: The process id.
        function: The function it runs, "" while it is idle.
        version: The version of its file.
        in_flight: How many attempts are in flight at it.
        window: How many may be.
    """

    pid: int
    function: str
    version: str
    in_flight: int
    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerWait:
    """How many attempts waited for a runner since the worker started, and their total wait."""

    count: int = 0
    sum_s: float = 0.0
