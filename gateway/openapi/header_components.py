"""Headers of requests and answers, as components of the document."""

from __future__ import annotations

from typing import Any

from gateway.openapi.json_schema import component_ref
from gateway.problems import KINDS, MEDIA_TYPE, type_of

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

HEADERS: dict[str, dict[str, Any]] = {
    "Location": {"description": "Where the invocation is.", "schema": _TEXT},
    "Retry-After": {"description": "Seconds until asking again is worth it.", "schema": _COUNT},
    "X-Call-Id": {"description": "The invocation's id.", "schema": _TEXT},
    "Preference-Applied": {
        "description": "Which preference was honoured (RFC 7240).",
        "schema": _TEXT,
    },
    "Link": {"description": '`rel="next"`: the next page.', "schema": _TEXT},
    "Idempotency-Replayed": {
        "description": "`true`: this is the answer to a repetition; nothing new was made.",
        "schema": {"type": "string", "const": "true"},
    },
    "RateLimit-Policy": {
        "description": "How many calls (`q`) in how many seconds (`w`) a caller may make "
        "(draft-ietf-httpapi-ratelimit-headers).",
        "schema": _TEXT,
        "example": '"default";q=1000;w=60',
    },
    "RateLimit": {
        "description": "How many calls are left (`r`), and in how many seconds all are (`t`).",
        "schema": _TEXT,
        "example": '"default";r=999;t=1',
    },
    "ETag": {"description": "For If-None-Match.", "schema": _TEXT},
}

PARAMETERS: dict[str, dict[str, Any]] = {
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "`wait=N` waits up to N seconds (at most 60) for the end; `respond-async` "
        "does not wait.",
        "schema": _TEXT,
        "example": "wait=10",
    },
    "X-Callback-Url": {
        "name": "X-Callback-Url",
        "in": "header",
        "description": "Where to POST the finished invocation, signed as Standard Webhooks says.",
        "schema": {"type": "string", "format": "uri", "maxLength": 2048},
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Sent again with the same key and body within a day, a call is not made "
        "again: the answer is about the first. Up to 255 visible characters, bare or in double "
        "quotes.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 512},
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "An ETag the caller has; 304 if it is still right.",
        "schema": _TEXT,
    },
}


# What any operation may answer, whatever it does.
EVERYWHERE = ("misdirected_request", "internal_error")
CODES = "x-problem-codes"

Responses = dict[str, Any]


def problem_responses(codes: tuple[str, ...], components: Responses) -> Responses:
    """Return the responses of an operation for its codes, adding components as needed."""
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*codes, *EVERYWHERE)):
        by_status.setdefault(KINDS[code].status, []).append(code)
    responses: Responses = {}
    for status, together in sorted(by_status.items()):
        name = "-".join(["problem", *sorted(together)])
        components.setdefault(name, _response(sorted(together)))
        responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return responses


def _response(codes: list[str]) -> dict[str, Any]:
    meanings = [f"`{code}`: {KINDS[code].meaning}" for code in codes]
    response: dict[str, Any] = {
        "description": "\n\n".join(meanings),
        CODES: codes,
        "content": {
            MEDIA_TYPE: {
                "schema": component_ref("Problem"),
                "example": {
                    "type": type_of(codes[0]),
                    "title": KINDS[codes[0]].title,
                    "status": KINDS[codes[0]].status,
                    "detail": KINDS[codes[0]].meaning,
                    "instance": "/path/asked/for",
                    "code": codes[0],
                },
            }
        },
    }
    headers = []
    if any(KINDS[code].retry_after_s is not None for code in codes):
        headers.append("Retry-After")
    if "rate_limited" in codes:
        headers += ["RateLimit", "RateLimit-Policy"]
    if headers:
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return response
