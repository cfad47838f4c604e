"""Whether a failed attempt is followed by another, and when.

Pure arithmetic: the random number is an argument, so every delay can be tested.
Read by `runtime.execution.retry_decision` only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from runtime.execution.outcome import Ending, Outcome
from runtime.sdk.options import RetryPolicy

# A function that asks for Retry without having said how often is believed this many times.
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
    """Return the wait after `attempt` failed.

    Args:
        policy: Delays start at `first_s` and grow by `factor` up to `longest_s`.
        attempt: The attempt that just failed; the first one is 1.
        roll: A number in [0, 1) from the caller's source of chance.
    """
    # Bound the exponent, not the product: 10.0 ** 400 overflows a float.
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
    """Return the wait before the next attempt, None when there is none.

    Args:
        policy: `on` names exception types; a timeout counts as TimeoutError, an exit as
            SystemExit, memory as MemoryError.
        attempt: The attempt that just failed.
        error_type: One of the error types of an invocation.
        exception_names: The exception's class and its bases.
        roll: A number in [0, 1).
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
    """Return the wait when the function raised Retry, None when it has done so too often.

    `retries`, where there are any, bounds this too; a function without may ask
    `MOST_ATTEMPTS_ON_REQUEST` times. A given `after_s` wins over the policy's delay.
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
    """Return the outcome of attempt number `attempt`."""
    if ending.kind == "succeeded":
        return Outcome(
            status="succeeded",
            result=result,
            result_type=ending.result_type,
            media_type=ending.media_type,
            logs=logs,
            duration_ms=duration_ms,
        )
    if ending.kind in {"cancelled", "lost"}:
        return Outcome(
            status="cancelled" if ending.kind == "cancelled" else "lost",
            error=error_json("worker_lost", ending) if ending.kind == "lost" else b"",
            logs=logs,
            duration_ms=duration_ms,
        )
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
    """Return {type, message, traceback, exception_type?, errors?} as JSON."""
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
