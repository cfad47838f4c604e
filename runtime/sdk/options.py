"""What @function takes, parsed and checked when the file loads.

Durations are seconds, sizes bytes, after parsing. The registry copies the
options into the manifest; nothing else about a function is configured elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MIB = 1024 * 1024
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to try again after a failure: `retries` more times after the first attempt.

    Delays start at `first_s` and grow by `factor` up to `longest_s`; `jitter` (0 to 1)
    spreads them. `on` names the exception types retried (empty: all), in full: `OSError`,
    `package.module.Error`, `functions.file.Error`.
    """

    retries: int = 0
    first_s: float = 1.0
    factor: float = 2.0
    longest_s: float = 600.0
    jitter: float = 0.2
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `count` starts in `per_s` seconds."""

    count: int
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The checked options of one function.

    `grace_s` is how long it may clean up after its timeout before its process is killed.
    `per_process` is how many attempts one process may run at the same time; None is what the
    author did not say, and a number in every manifest that a loaded file makes.
    """

    timeout_s: float = 60.0
    grace_s: float = 0.0
    retry: RetryPolicy = RetryPolicy()
    queue: str = "default"
    concurrency: int | None = None
    per_process: int | None = None
    rate: Rate | None = None
    priority: int = 5
    schedule: str | None = None
    timezone: str = "UTC"
    isolation: Literal["process", "thread"] = "process"
    memory_bytes: int = 512 * MIB
    max_age_s: float | None = None
    max_waiting: int | None = None
    result_ttl_s: float = 86_400.0


def written_size(size_bytes: int, *, like: int | None = None) -> str:
    """Return a size as an author would write it: `96MB`, `512MiB`.

    In the unit of another one, and rounded up, where that is given.
    """
    unit_of = size_bytes if like is None else like
    for unit, name in ((_MEGABYTE, "MB"), (MIB, "MiB")):
        if unit_of % unit == 0:
            return f"{-(-size_bytes // unit)}{name}"
    return f"{size_bytes}"
