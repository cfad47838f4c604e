"""Responses that are problems: one component for each set of codes that share a status.

All of them refer to the one schema `Problem`, and tell their codes beside it: a schema of each
set would be several generated classes for every operation, none of which is the other's.
"""

from __future__ import annotations

from typing import Any

from gateway.openapi.definitions import component_ref
from gateway.problems import KINDS, MEDIA_TYPE, type_of

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
