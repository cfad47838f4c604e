"""From an `Ending` to an `Outcome`: whether a failed attempt is retried, and after which delay.

Pure functions: the random number is an argument, so every delay can be tested. The worker calls
`decide_outcome` for each attempt that has finished (`runtime.worker`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from runtime.execution.assignment import Outcome
from runtime.execution.outcome import Ending
from runtime.sdk.options import RetryPolicy

# Limit on retries by `raise Retry` for functions that do not set `retries`.
MOST_ATTEMPTS_ON_REQUEST = 1_000
_MOST_GROWTH_STEPS = 64
_LONGEST_S = 10 * 365 * 86_400.0
_RETRIED_TYPES = {
    "exception": (),
    "timeout": ("TimeoutError",),
    "exited": ("SystemExit",),
    "out_of_memory": ("MemoryError",),
}


def delay_ms(policy: RetryPolicy, attempt: int, *, roll: float) -> int:
    """Return the delay after attempt number `attempt` failed, in milliseconds.

    Args:
        policy: The delay starts at `first_s` and is multiplied by `factor` each time, up to
            `longest_s`.
        attempt: The attempt that just failed; the first one is 1.
        roll: A random number in [0, 1), which spreads the delay by `jitter`.
    """
    # Limit the exponent, not the product: 10.0 ** 400 overflows a float.
    steps = min(max(attempt - 1, 0), _MOST_GROWTH_STEPS)
    grown_s = min(policy.first_s * policy.factor**steps, policy.longest_s)
    return _to_ms(grown_s * (1 + policy.jitter * (2 * roll - 1)))


def retry_after_failure(
    policy: RetryPolicy,
    attempt: int,
    *,
    error_type: str,
    exception_names: Sequence[str],
    roll: float,
) -> int | None:
    """Return the delay before the next attempt in milliseconds, None if there is none.

    Args:
        policy: `on` names exception types; a timeout counts as TimeoutError, an exit as
            SystemExit, memory exhaustion as MemoryError.
        attempt: The attempt that just failed.
        error_type: The error type of the invocation.
        exception_names: The exception's class and its bases.
        roll: A random number in [0, 1).
    """
    if error_type not in _RETRIED_TYPES or attempt > policy.retries:
        return None
    names = {*exception_names, *_RETRIED_TYPES[error_type]}
    if policy.on and names.isdisjoint(policy.on):
        return None
    return delay_ms(policy, attempt, roll=roll)


def retry_on_request(
    policy: RetryPolicy, attempt: int, *, after_s: float | None, roll: float
) -> int | None:
    """Return the delay after the function raised Retry; None when its attempts are used up.

    `retries`, if not 0, limits these as well; otherwise a function may retry
    `MOST_ATTEMPTS_ON_REQUEST` times. `after_s` overrides the delay of the policy.
    """
    if attempt > (policy.retries or MOST_ATTEMPTS_ON_REQUEST):
        return None
    return delay_ms(policy, attempt, roll=roll) if after_s is None else _to_ms(after_s)


def _to_ms(seconds: float) -> int:
    if not math.isfinite(seconds):
        seconds = _LONGEST_S
    return round(min(max(seconds, 0.0), _LONGEST_S) * 1000)


def decide_outcome(
    ending: Ending,
    result: bytes,
    *,
    policy: RetryPolicy,
    attempt: int,
    roll: float,
    logs: bytes,
    duration_ms: int,
) -> Outcome:
    """Apply the retry policy to the ending of attempt number `attempt`."""
    if ending.kind == "succeeded":
        return Outcome(
            status="succeeded",
            result=result,
            result_type=ending.result_type,
            media_type=ending.media_type,
            logs=logs,
            duration_ms=duration_ms,
        )
    if ending.kind == "cancelled":
        return Outcome(status="cancelled", logs=logs, duration_ms=duration_ms)
    if ending.kind == "lost":
        error = error_json("worker_lost", ending)
        return Outcome(status="lost", error=error, logs=logs, duration_ms=duration_ms)
    error_type = "exception" if ending.kind == "retry" else ending.kind
    if ending.kind == "retry":
        wait_ms = retry_on_request(policy, attempt, after_s=ending.after_s, roll=roll)
    else:
        wait_ms = retry_after_failure(
            policy,
            attempt,
            error_type=error_type,
            exception_names=ending.exception_names,
            roll=roll,
        )
    return Outcome(
        status="failed" if wait_ms is None else "retrying",
        error=error_json(error_type, ending),
        retry_after_ms=wait_ms or 0,
        logs=logs,
        duration_ms=duration_ms,
    )


def error_json(error_type: str, ending: Ending) -> bytes:
    """Return the error object {type, message, traceback, exception_type?, errors?} as JSON."""
    error: dict[str, object] = {
        "type": error_type,
        "message": ending.message,
        "traceback": ending.traceback,
    }
    if ending.exception_names:
        error["exception_type"] = ending.exception_names[0].rpartition(".")[2]
    if ending.faults:
        error["errors"] = [{"pointer": f.pointer, "detail": f.detail} for f in ending.faults]
    return msgspec.json.encode(error)
