"""Whether a failed attempt is followed by another, and when.

Pure arithmetic: the random number is an argument, so every delay can be tested.
Read by `runtime.execution.retry_decision` only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

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
