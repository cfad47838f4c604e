"""How a finished invocation is told to a caller who asked for its result.

Succeeded: the result. Failed: 502 `function_failed`, 504 `function_timeout` for the
function's own timeout, and 422 where the caller can mend it: `rejected` by the function, or
`arguments_invalid` as the gateway itself says it, when only the types of the function could
tell. Cancelled or expired: 409. Each problem carries the invocation.
"""

from __future__ import annotations

import msgspec

from gateway.problems import ProblemError
from runtime.errors import ArgumentFault
from runtime.invocations.record import Record
from runtime.invocations.status import Status
from runtime.invocations.view import invocation_json


def ending_problem(record: Record) -> ProblemError | None:
    """Return the problem a finished invocation is, or None when it succeeded."""
    if record.status is Status.SUCCEEDED:
        return None
    members = {"invocation": invocation_json(record)}
    if record.status is Status.CANCELLED:
        return ProblemError("invocation_cancelled", "It was cancelled.", members=members)
    if record.status is Status.EXPIRED:
        return ProblemError(
            "invocation_expired", "It grew too old before it could run.", members=members
        )
    error = msgspec.json.decode(record.error) if record.error else {}
    kind = error.get("type", "exception")
    message = error.get("message") or "no message"
    if kind == "arguments_invalid":
        faults = [
            ArgumentFault(pointer=e["pointer"], detail=e["detail"]) for e in error.get("errors", ())
        ]
        return ProblemError(kind, message, errors=faults, members=members)
    if kind == "rejected":
        return ProblemError(
            kind, f"{record.function} rejected the call: {message}", members=members
        )
    code = "function_timeout" if kind == "timeout" else "function_failed"
    detail = f"{record.function} ended with {error.get('exception_type') or kind}: {message}"
    return ProblemError(code, detail, members=members)
