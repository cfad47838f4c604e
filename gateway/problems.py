"""Error code → HTTP status and problem (RFC 9457); HTTP statuses of errors live here only.

`code` and `type` are API, `detail` is for people. Resources raise `ProblemError`;
errors of the runtime and of Falcon become one here. `type` is a reference to
`/problems/<code>`, a page that says what the code means.
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
    """What all problems of one code have in common."""

    status: int
    title: str
    meaning: str
    retry_after_s: int | None = None


def _kind(status: int, title: str, meaning: str, retry_after_s: int | None = None) -> ProblemKind:
    return ProblemKind(status=status, title=title, meaning=meaning, retry_after_s=retry_after_s)


KINDS: dict[str, ProblemKind] = {
    "malformed_request": _kind(400, "Malformed request", "The bytes sent are not a valid request."),
    "invalid_json": _kind(
        400,
        "Invalid JSON",
        "The body is not one JSON object in UTF-8, without duplicate keys, NaN or Infinity, at "
        "most 64 levels deep.",
    ),
    "invalid_multipart": _kind(
        400, "Invalid form", "The body is not a valid form of its media type."
    ),
    "unauthenticated": _kind(401, "API key needed", "This gateway asks for a valid API key."),
    "forbidden": _kind(403, "Forbidden", "The caller's key lacks the scope for this."),
    "cross_site_refused": _kind(
        403, "From another site", "A browser sends the request for a page that is not ours."
    ),
    "not_found": _kind(404, "Not found", "There is nothing at this path."),
    "function_not_found": _kind(404, "Unknown function", "No function of that name is published."),
    "invocation_not_found": _kind(404, "Unknown invocation", "No invocation has that id."),
    "delivery_not_found": _kind(404, "Unknown delivery", "No delivery has that id."),
    "batch_not_found": _kind(404, "Unknown batch", "No batch has that id."),
    "schedule_not_found": _kind(404, "Unknown schedule", "No schedule has that id."),
    "key_not_found": _kind(404, "Unknown key", "No API key has that id."),
    "queue_not_found": _kind(404, "Unknown queue", "No queue has that name."),
    "worker_not_found": _kind(404, "Unknown worker", "No living worker has that id."),
    "check_not_found": _kind(404, "Unknown check", "No consistency check has that id."),
    "method_not_allowed": _kind(
        405, "Method not allowed", "The path exists; `Allow` names its methods."
    ),
    "request_timeout": _kind(408, "Request too slow", "The request did not arrive in time."),
    "invocation_unfinished": _kind(
        409, "Not finished", "The invocation has no result yet; ask again later.", 1
    ),
    "invocation_cancelled": _kind(409, "Cancelled", "The invocation was cancelled."),
    "invocation_expired": _kind(409, "Expired", "The invocation grew too old before it ran."),
    "invocation_finished": _kind(
        409, "Finished already", "The invocation has ended; that never changes."
    ),
    "batch_finished": _kind(409, "Finished already", "Every invocation of the batch has ended."),
    "delivery_unfinished": _kind(409, "Delivery under way", "The delivery is still being tried."),
    "schedule_declared": _kind(
        409, "Declared by the function", "The schedule belongs to a function's own options."
    ),
    "invocation_gone": _kind(410, "Gone", "The invocation is older than its retention."),
    "batch_gone": _kind(410, "Gone", "The batch is older than its retention."),
    "body_too_large": _kind(413, "Body too large", "The request body is over the limit."),
    "target_too_long": _kind(414, "Target too long", "The path and query are over the limit."),
    "unsupported_media_type": _kind(
        415, "Unsupported media type", "The body's Content-Type is not one that is taken here."
    ),
    "misdirected_request": _kind(
        421,
        "Not for this gateway",
        "A gateway that asks nobody for a key answers only for loopback, its bind address and "
        "the host of `PENSTOCK_PUBLIC_URL`.",
    ),
    "arguments_invalid": _kind(
        422, "Invalid arguments", "`errors` names each wrong argument by a JSON pointer."
    ),
    "rejected": _kind(
        422, "Rejected", "The function refused the call on purpose; `invocation.error` says why."
    ),
    "parameter_invalid": _kind(
        422, "Invalid parameter", "`errors` names each wrong or unknown query parameter."
    ),
    "callback_url_invalid": _kind(
        422, "Invalid callback address", "The address may not be called, or cannot be resolved."
    ),
    "schedule_invalid": _kind(
        422, "Invalid schedule", "`errors` names each wrong member by a JSON pointer."
    ),
    "key_invalid": _kind(422, "Invalid key", "`errors` names each wrong member by a JSON pointer."),
    "batch_invalid": _kind(
        422, "Invalid batch", "A batch is 1 to 10,000 JSON objects for a function that takes JSON."
    ),
    "idempotency_key_reused": _kind(
        422, "Idempotency key reused", "The key was used before, for a request that differs."
    ),
    "rate_limited": _kind(
        429, "Too many calls", "The caller calls faster than this gateway lets in.", 1
    ),
    "too_many_failures": _kind(
        429, "Too many wrong keys", "Too many wrong keys came from this address.", 60
    ),
    "queue_full": _kind(
        429, "Queue full", "As many calls of the function wait as may; nothing was accepted.", 5
    ),
    "headers_too_large": _kind(431, "Headers too large", "The headers are over the limit."),
    "internal_error": _kind(500, "Internal error", "A defect in the gateway; its log says more."),
    "not_implemented": _kind(501, "Not implemented", "The method is not one the gateway knows."),
    "function_failed": _kind(
        502, "The function failed", "`invocation.error` says how; its logs may say why."
    ),
    "function_unavailable": _kind(
        503, "Function unavailable", "No version of the function has loaded yet.", 5
    ),
    "gateway_overloaded": _kind(
        503, "Gateway overloaded", "As many bytes of request bodies are held here as may be.", 1
    ),
    "not_ready": _kind(
        503, "Not ready", "Redis does not answer, or no functions are published.", 1
    ),
    "store_unavailable": _kind(
        503, "Store unavailable", "Redis does not answer; nothing was accepted for certain.", 1
    ),
    "store_refused": _kind(
        503, "Store refuses writes", "Redis is full or read-only; nothing was accepted.", 5
    ),
    "function_timeout": _kind(
        504, "The function timed out", "It ran longer than its own timeout and was ended."
    ),
}


class ProblemError(Exception):
    """An answer that is a problem.

    Args:
        code: A key of `KINDS`.
        detail: What happened this time, for people.
        errors: For 422: each fault, with a pointer.
        headers: Further response headers.
        members: Further members of the problem, as JSON.
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

    def encode(self, instance: str | None) -> bytes:
        """Return the body."""
        return encode_problem(
            self.code, self.detail, instance=instance, errors=self.errors, members=self.members
        )


def refuse_faults(code: str, faults: Iterable[ArgumentFault]) -> None:
    """Raise a problem that names everything that is wrong, if anything is."""
    found = tuple(faults)
    if found:
        detail = "; ".join(f"{fault.pointer or '/'}: {fault.detail}" for fault in found)
        raise ProblemError(code, detail, errors=found)


def status_of(code: str) -> int:
    """Return the HTTP status of a code."""
    return KINDS[code].status


def type_of(code: str) -> str:
    """Return the `type` member of a code."""
    return f"/problems/{code}"


def encode_problem(
    code: str,
    detail: str,
    *,
    instance: str | None = None,
    errors: Iterable[ArgumentFault] = (),
    members: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return a problem as JSON; `instance` is the path asked for."""
    kind = KINDS[code]
    problem: dict[str, Any] = {
        "type": type_of(code),
        "title": kind.title,
        "status": kind.status,
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
