"""Request and response headers, and problem responses, as components of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from gateway.openapi.json_schema import component_ref
from gateway.problems import KINDS, MEDIA_TYPE, type_of

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

HEADERS: dict[str, dict[str, Any]] = {
    "Location": {"description": "The path of the new or affected resource.", "schema": _TEXT},
    "Retry-After": {
        "description": "How many seconds to wait before the next request.",
        "schema": _COUNT,
    },
    "X-Call-Id": {"description": "The id of the invocation.", "schema": _TEXT},
    "Preference-Applied": {
        "description": "The preference that was applied (RFC 7240).",
        "schema": _TEXT,
    },
    "Link": {"description": 'The next page, with `rel="next"`.', "schema": _TEXT},
    "Idempotency-Replayed": {
        "description": "`true` if this is the response for a repeated request, and no new "
        "invocation was created.",
        "schema": {"type": "string", "const": "true"},
    },
    "RateLimit-Policy": {
        "description": "How many calls (`q`) a caller may make in how many seconds (`w`) "
        "(draft-ietf-httpapi-ratelimit-headers).",
        "schema": _TEXT,
        "example": '"default";q=1000;w=60',
    },
    "RateLimit": {
        "description": "How many calls are left (`r`), and in how many seconds all are available "
        "again (`t`).",
        "schema": _TEXT,
        "example": '"default";r=999;t=1',
    },
    "ETag": {
        "description": "The entity tag of the response, for If-None-Match.",
        "schema": _TEXT,
    },
}

PARAMETERS: dict[str, dict[str, Any]] = {
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "`wait=N` waits up to N seconds (at most 60) until the invocation finishes; "
        "`respond-async` does not wait.",
        "schema": _TEXT,
        "example": "wait=10",
    },
    "X-Callback-Url": {
        "name": "X-Callback-Url",
        "in": "header",
        "description": "The URL to POST the finished invocation or batch to, signed as Standard "
        "Webhooks specifies.",
        "schema": {"type": "string", "format": "uri", "maxLength": 2048},
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes the request safe to repeat: within one day, a request with the same "
        "key and body creates nothing, and its response is about the first one. Up to 255 visible "
        "characters, bare or in double quotes.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 512},
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The entity tag that the client has; the response is 304 if it still "
        "matches.",
        "schema": _TEXT,
    },
}


# The problems that every operation can have.
EVERYWHERE = ("misdirected_request", "internal_error")
CODES = "x-problem-codes"

Responses = dict[str, Any]


def problem_responses(codes: tuple[str, ...], components: Responses) -> Responses:
    """Return the problem responses of an operation, one for each HTTP status of its codes.

    Args:
        codes: The problem codes of the operation.
        components: The response components; those that are missing are added.
    """
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
                    "instance": "/path/of/the/request",
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
