"""Request and response headers, and problem responses, as components of the OpenAPI document."""

from __future__ import annotations

from gateway.openapi.json_schema import COUNT, TEXT, Json, component_ref
from gateway.problems import KINDS, MEDIA_TYPE, type_of


def _header(description: str, schema: Json = TEXT, **more: str) -> Json:
    return {"description": description, "schema": schema, **more}


HEADERS: dict[str, Json] = {
    "Location": _header("The path of the new or affected resource."),
    "Retry-After": _header("How many seconds to wait before the next request.", COUNT),
    "X-Call-Id": _header("The id of the invocation."),
    "Preference-Applied": _header("The preference that was applied (RFC 7240)."),
    "Link": _header('The next page, with `rel="next"`.'),
    "Idempotency-Replayed": _header(
        "`true` if this is the response for a repeated request, and no new invocation was created.",
        {**TEXT, "const": "true"},
    ),
    "RateLimit-Policy": _header(
        "How many calls (`q`) a caller may make in how many seconds (`w`) "
        "(draft-ietf-httpapi-ratelimit-headers).",
        example='"default";q=1000;w=60',
    ),
    "RateLimit": _header(
        "How many calls are left (`r`), and in how many seconds all are available again (`t`).",
        example='"default";r=999;t=1',
    ),
    "ETag": _header("The entity tag of the response, for If-None-Match."),
}

_REQUEST_HEADERS = {
    "Prefer": _header(
        "`wait=N` waits up to N seconds (at most 60) until the invocation finishes; "
        "`respond-async` does not wait.",
        example="wait=10",
    ),
    "X-Callback-Url": _header(
        "The URL to POST the finished invocation or batch to, signed as Standard Webhooks "
        "specifies.",
        {**TEXT, "format": "uri", "maxLength": 2048},
    ),
    "Idempotency-Key": _header(
        "Makes the request safe to repeat: within one day, a request with the same key and body "
        "creates nothing, and its response is about the first one. Up to 255 visible characters, "
        "bare or in double quotes.",
        {**TEXT, "minLength": 1, "maxLength": 512},
    ),
    "If-None-Match": _header(
        "The entity tag that the client has; the response is 304 if it still matches."
    ),
}
PARAMETERS: dict[str, Json] = {
    name: {"name": name, "in": "header", **header} for name, header in _REQUEST_HEADERS.items()
}


# The problems that every operation can have.
EVERYWHERE = ("misdirected_request", "internal_error")
CODES = "x-problem-codes"


def problem_responses(codes: tuple[str, ...], components: Json) -> Json:
    """Return the problem responses of an operation, one for each HTTP status of its codes.

    Args:
        codes: The problem codes of the operation.
        components: The response components; those that are missing are added.
    """
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*codes, *EVERYWHERE)):
        by_status.setdefault(KINDS[code].status, []).append(code)
    responses: Json = {}
    for status, together in sorted(by_status.items()):
        name = "-".join(["problem", *sorted(together)])
        components.setdefault(name, _response(sorted(together)))
        responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return responses


def _response(codes: list[str]) -> Json:
    meanings = [f"`{code}`: {KINDS[code].meaning}" for code in codes]
    response: Json = {
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
