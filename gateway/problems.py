"""Error code → HTTP status and problem (RFC 9457). HTTP statuses of errors are only here.

`code` and `type` are API; `title` and `detail` are for people and may change. Resources raise
`ProblemError`; errors of the runtime and of Falcon are turned into one. `type` is a reference to
`/problems/<code>`, a page that explains the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from runtime.errors import ArgumentFault

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemKind:
    """What all problems with one code share: status, title, meaning and Retry-After."""

    status: int
    title: str
    meaning: str
    retry_after_s: int | None = None


def _kind(status: int, title: str, meaning: str, retry_after_s: int | None = None) -> ProblemKind:
    return ProblemKind(status=status, title=title, meaning=meaning, retry_after_s=retry_after_s)


KINDS: dict[str, ProblemKind] = {
    "malformed_request": _kind(400, "Malformed request", "The request is not valid HTTP."),
    "invalid_json": _kind(
        400,
        "Invalid JSON",
        "The body must be one JSON object in UTF-8, without duplicate keys, NaN or Infinity, and "
        "nested at most 64 levels deep.",
    ),
    "invalid_multipart": _kind(
        400, "Invalid form", "The body is not a valid form of its Content-Type."
    ),
    "unauthenticated": _kind(
        401, "API key required", "The request needs a valid API key or session."
    ),
    "signature_invalid": _kind(
        401,
        "Signature not accepted",
        "The signature of a webhook is malformed, stale or wrong, or the gateway has no secret to "
        "verify it with.",
    ),
    "forbidden": _kind(403, "Forbidden", "The caller's key does not have the required scope."),
    "cross_site_refused": _kind(
        403,
        "Cross-site request refused",
        "Origin or Sec-Fetch-Site is missing or names another site.",
    ),
    "not_found": _kind(404, "Not found", "No resource has this path."),
    "function_not_found": _kind(
        404, "Unknown function", "No function with that name is published."
    ),
    "invocation_not_found": _kind(404, "Unknown invocation", "No invocation has that id."),
    "delivery_not_found": _kind(404, "Unknown delivery", "No delivery has that id."),
    "batch_not_found": _kind(404, "Unknown batch", "No batch has that id."),
    "schedule_not_found": _kind(404, "Unknown schedule", "No schedule has that id."),
    "key_not_found": _kind(404, "Unknown key", "No API key has that id."),
    "queue_not_found": _kind(404, "Unknown queue", "No queue has that name."),
    "environment_not_found": _kind(
        404, "Unknown environment", "No worker reports an environment with that key."
    ),
    "worker_not_found": _kind(404, "Unknown worker", "No running worker has that id."),
    "check_not_found": _kind(404, "Unknown check", "No consistency check has that id."),
    "method_not_allowed": _kind(
        405,
        "Method not allowed",
        "The path does not support this method; `Allow` lists those it supports.",
    ),
    "request_timeout": _kind(
        408, "Request timeout", "The request did not arrive within the time limit."
    ),
    "invocation_unfinished": _kind(409, "Not finished", "The invocation has not finished yet.", 1),
    "invocation_cancelled": _kind(409, "Cancelled", "The invocation was cancelled."),
    "environment_in_use": _kind(
        409, "Environment in use", "Functions run in the environment, so it cannot be deleted."
    ),
    "invocation_expired": _kind(
        409, "Expired", "The invocation was not started within its maximum age."
    ),
    "invocation_finished": _kind(
        409, "Already finished", "The invocation has finished; its status cannot change any more."
    ),
    "batch_finished": _kind(409, "Already finished", "Every invocation of the batch has finished."),
    "delivery_unfinished": _kind(
        409, "Delivery in progress", "The callback is still being delivered."
    ),
    "schedule_declared": _kind(
        409, "Declared by the function", "The schedule is declared in the function's own file."
    ),
    "invocation_gone": _kind(410, "Gone", "The invocation was deleted after its retention time."),
    "batch_gone": _kind(410, "Gone", "The batch was deleted after its retention time."),
    "body_too_large": _kind(413, "Body too large", "The request body is larger than the limit."),
    "target_too_long": _kind(
        414, "Target too long", "The path and query are longer than the limit."
    ),
    "unsupported_media_type": _kind(
        415,
        "Unsupported media type",
        "The Content-Type or Content-Encoding of the body is not accepted.",
    ),
    "misdirected_request": _kind(
        421,
        "Host not allowed",
        "A gateway that needs no key accepts only the Host names of loopback, of its bind address "
        "and of `PENSTOCK_PUBLIC_URL`.",
    ),
    "arguments_invalid": _kind(
        422, "Invalid arguments", "`errors` names each wrong argument by a JSON pointer."
    ),
    "rejected": _kind(
        422, "Rejected", "The function rejected the call; `invocation.error` says why."
    ),
    "parameter_invalid": _kind(
        422,
        "Invalid parameter",
        "`errors` names each wrong or unknown query parameter, and each wrong header.",
    ),
    "callback_url_invalid": _kind(
        422,
        "Invalid callback URL",
        "Callbacks to this URL are not allowed, or its host is unknown.",
    ),
    "schedule_invalid": _kind(
        422, "Invalid schedule", "`errors` names each wrong field by a JSON pointer."
    ),
    "key_invalid": _kind(422, "Invalid key", "`errors` names each wrong field by a JSON pointer."),
    "batch_invalid": _kind(
        422,
        "Invalid batch",
        "A batch is 1 to 10,000 JSON objects for a function that accepts JSON.",
    ),
    "idempotency_key_reused": _kind(
        422,
        "Idempotency key reused",
        "The idempotency key was used before for a different request.",
    ),
    "rate_limited": _kind(429, "Too many calls", "The caller has exceeded its rate limit.", 1),
    "too_many_failures": _kind(
        429, "Too many invalid keys", "This address has sent too many invalid API keys.", 60
    ),
    "queue_full": _kind(
        429,
        "Queue full",
        "The function's limit of waiting invocations is reached; nothing was accepted.",
        5,
    ),
    "headers_too_large": _kind(
        431, "Headers too large", "The request headers are larger than the limit."
    ),
    "internal_error": _kind(
        500, "Internal error", "The gateway failed unexpectedly; its log says more."
    ),
    "not_implemented": _kind(
        501,
        "Not implemented",
        "The gateway does not know this HTTP method, or does not offer this operation of OpenFaaS.",
    ),
    "function_failed": _kind(
        502, "Function failed", "The function failed; `invocation.error` says how."
    ),
    "function_unavailable": _kind(
        503, "Function unavailable", "No version of the function has loaded yet.", 5
    ),
    "gateway_overloaded": _kind(
        503, "Gateway overloaded", "The gateway's memory for request bodies is full.", 1
    ),
    "not_ready": _kind(
        503, "Not ready", "Redis does not answer, or no published function can serve.", 1
    ),
    "store_unavailable": _kind(
        503,
        "Store unavailable",
        "Redis does not answer; the request may or may not be accepted.",
        1,
    ),
    "store_refused": _kind(
        503, "Store refuses writes", "Redis is full or read-only; nothing was accepted.", 5
    ),
    "wait_exceeded": _kind(
        504, "Still running", "The function has not finished; `Location` has its invocation."
    ),
    "function_timeout": _kind(
        504, "Function timeout", "The function ran longer than its timeout and was stopped."
    ),
}
# What clients of OpenFaaS expect instead, on its paths.
_OPENFAAS_STATUSES = {"function_failed": 500, "callback_url_invalid": 400}


class ProblemError(Exception):
    """An error response.

    Args:
        code: A key of `KINDS`.
        detail: What happened in this request, for people.
        errors: For status 422: each fault, with a pointer.
        headers: Additional response headers.
        members: Additional members of the problem, each encoded as JSON.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Iterable[ArgumentFault] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, bytes] | None = None,
    ) -> None:
        super().__init__(detail)
        kind = KINDS[code]
        self.code = code
        self.detail = detail
        self.status = kind.status
        self.errors = tuple(errors)
        self.members = dict(members or {})
        self.headers = dict(headers or {})
        if kind.retry_after_s is not None:
            self.headers.setdefault("Retry-After", str(kind.retry_after_s))

    def encode(self, instance: str | None, *, status: int | None = None) -> bytes:
        """Return the response body; `instance` is the path of the request."""
        return encode_problem(
            self.code,
            self.detail,
            instance=instance,
            status=status,
            errors=self.errors,
            members=self.members,
        )


def refuse_faults(code: str, faults: Iterable[ArgumentFault]) -> None:
    """Raise a `ProblemError` that names every fault, if there are any."""
    found = tuple(faults)
    if found:
        detail = "; ".join(f"{fault.pointer or '/'}: {fault.detail}" for fault in found)
        raise ProblemError(code, detail, errors=found)


def status_of(code: str) -> int:
    """Return the HTTP status of a code."""
    return KINDS[code].status


def openfaas_status_of(code: str) -> int:
    """Return the HTTP status of a code on the paths of OpenFaaS."""
    return _OPENFAAS_STATUSES.get(code, KINDS[code].status)


def type_of(code: str) -> str:
    """Return the `type` member of a code."""
    return f"/problems/{code}"


def encode_problem(
    code: str,
    detail: str,
    *,
    instance: str | None = None,
    status: int | None = None,
    errors: Iterable[ArgumentFault] = (),
    members: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return a problem as JSON; `instance` is the path, `status` replaces that of the code."""
    kind = KINDS[code]
    problem: dict[str, Any] = {
        "type": type_of(code),
        "title": kind.title,
        "status": kind.status if status is None else status,
        "detail": detail,
    }
    if instance is not None:
        problem["instance"] = quote(instance, safe="/:@!$&'()*+,;=-._~")
    problem["code"] = code
    if faults := [{"pointer": f.pointer, "detail": f.detail} for f in errors]:
        problem["errors"] = faults
    for name, value in (members or {}).items():
        problem[name] = msgspec.Raw(value)
    return msgspec.json.encode(problem)
