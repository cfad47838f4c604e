"""From how an attempt ended to what becomes of its invocation."""

from __future__ import annotations

import msgspec

from runtime.execution.ending import Ending
from runtime.execution.outcome import Outcome
from runtime.execution.retry_policy import retry_after_failure, retry_on_request
from runtime.sdk.options import RetryPolicy


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
