"""The options of @function after parsing: durations in seconds, sizes in bytes.

The registry copies them into the manifest. A function is configured nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runtime.sdk.verification import Verification

MIB = 1024 * 1024
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to retry after a failure.

    Attributes:
        retries: How many more attempts may follow the first.
        first_s: Delay before the first retry.
        factor: By how much each delay is longer than the one before.
        longest_s: The longest delay.
        jitter: How much a delay may vary at random, from 0 to 1.
        on: Full names of the exceptions to retry on, such as `OSError`, `package.module.Error` or
            `functions.file.Error`; empty for all.
    """

    retries: int = 0
    first_s: float = 1.0
    factor: float = 2.0
    longest_s: float = 600.0
    jitter: float = 0.2
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate limit: at most `count` starts in `per_s` seconds."""

    count: int
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The checked options of one function.

    `grace_s` is the time to clean up after the timeout before the process is killed. `per_process`
    is how many attempts one process may run at the same time; it is None if the author did not set
    it, and always a number in the manifest of a loaded function. `methods` are the HTTP methods of
    `/function/{name}`; empty for the usual ones (`Manifest.methods`).
    `cors` lists the origins whose pages may call it.
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
    methods: tuple[str, ...] = ()
    cors: tuple[str, ...] = ()
    verify: Verification | None = None


def written_size(size_bytes: int, *, like: int | None = None) -> str:
    """Return a size as an author would write it: `96MB`, `512MiB`.

    Args:
        size_bytes: The size.
        like: A size whose unit to use; the result is rounded up to it.
    """
    unit_of = size_bytes if like is None else like
    for unit, name in ((_MEGABYTE, "MB"), (MIB, "MiB")):
        if unit_of % unit == 0:
            return f"{-(-size_bytes // unit)}{name}"
    return f"{size_bytes}"
