"""The answer to a call on `/function/{name}`: what the function returned, without an envelope."""

from __future__ import annotations

from falcon.asgi import Response

from gateway.invoke.invoker import ending_problem
from gateway.parsing.cookies import sets_session
from gateway.problems import ProblemError
from runtime.invocations.raw_response import raw_response
from runtime.invocations.record import Record
from runtime.sdk.response import StoredResponse

# A page of a function may run scripts, but not as a page of the gateway: it gets an origin of its
# own, so it reads neither the session of the dashboard nor the API as its user.
_APART = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts"
# What the gateway says of a call, and `@function(cors=…)` of origins; a function does not.
_GATEWAYS_OWN = frozenset(
    {
        *("x-call-id", "x-start-time", "x-duration-seconds", "x-served-by", "x-openfaas-internal"),
        *("idempotency-replayed", "ratelimit", "ratelimit-policy", "preference-applied"),
        *("date", "server", "x-content-type-options"),
    }
)
_FOR_THE_CALLER = frozenset(
    {"set-cookie", "clear-site-data", "www-authenticate", "content-security-policy", "refresh"}
)
_CORS = "access-control-"
_NS_PER_MS = 1_000_000


def write_raw(resp: Response, record: Record) -> None:
    """Write what a function returned: a `Response` as it is, text without JSON's quotes.

    Raises:
        ProblemError: The invocation has not finished, or did not succeed.
    """
    write_call_headers(resp, record)
    if not record.is_finished:
        raise ProblemError(
            "wait_exceeded",
            f"{record.function} has not finished in the time that a caller may wait; it goes on, "
            f"and GET /invocations/{record.id} shows how it ends.",
            headers={"Location": f"/invocations/{record.id}"},
        )
    problem = ending_problem(record)
    if problem is not None:
        raise problem
    write_response(resp, response_of(record), is_raw=True)
    declared = resp.get_header("Content-Security-Policy")
    resp.set_header("Content-Security-Policy", f"{declared}, {_APART}" if declared else _APART)


def write_call_headers(resp: Response, record: Record) -> None:
    """Set the headers that callers of OpenFaaS read: the id, the start and the duration."""
    resp.set_header("X-Call-Id", record.id)
    resp.set_header("X-Served-By", "penstock")
    resp.set_header("X-Start-Time", str(record.created_at_ms * _NS_PER_MS))
    if record.finished_at_ms is not None:
        duration_ms = record.finished_at_ms - (record.started_at_ms or record.finished_at_ms)
        resp.set_header("X-Duration-Seconds", f"{max(0, duration_ms) / 1000:.6f}")


def response_of(record: Record) -> StoredResponse:
    """Return what a function returned, as a response.

    Raises:
        ProblemError: It is damaged.
    """
    try:
        return raw_response(record)
    except ValueError as error:
        raise ProblemError("internal_error", f"The stored response is damaged: {error}.") from error


def write_response(resp: Response, stored: StoredResponse, *, is_raw: bool) -> None:
    """Write a function's response.

    Args:
        resp: Where to.
        stored: The response.
        is_raw: Whether it is the answer to the call itself. Any other answer has no cookies, and
            nothing that speaks to a browser of the whole gateway.
    """
    resp.status = stored.status
    if not stored.media_type:
        resp.content_type = "text/plain"  # of an empty body
    refused = _GATEWAYS_OWN if is_raw else _GATEWAYS_OWN | _FOR_THE_CALLER
    written: set[str] = set()
    for name, value in stored.headers:
        lower = name.lower()
        if lower in refused or lower.startswith(_CORS) or _replaces_session(lower, value):
            continue
        if lower in written or lower == "set-cookie":
            resp.append_header(name, value)
        else:
            resp.set_header(name, value)
        written.add(lower)
    resp.data = stored.body


def _replaces_session(name: str, value: str) -> bool:
    return name == "set-cookie" and sets_session(value)
