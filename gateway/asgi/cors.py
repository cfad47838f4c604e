"""Cross-origin requests of web pages: the answer to a preflight, and headers on every response.

A browser asks first, by a preflight, whether a page may send a request with a key, JSON or options.
It needs no key, and the gateway answers it for every route; no OPTIONS of this kind reaches a
function. `gateway.serving.allowed_origins` has the rule, and writes the same headers on what is
refused before there is a request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway.problems import ProblemError
from gateway.routing.routes import BY_TEMPLATE, allowed_methods
from gateway.serving.allowed_origins import AllowedOrigins, Headers
from gateway.serving.request_parser import HEADERS

Send = Callable[[dict[str, Any]], Awaitable[None]]
_METHOD = b"access-control-request-method"
_WANTED = b"access-control-request-headers"
_CORS = b"access-control-"
_MAX_AGE_S = 7_200  # Chromium's maximum; a response to the request itself is never out of date
_SHOWN = 128
_ANY_METHOD = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_TEMPLATES = frozenset(template for template, _ in BY_TEMPLATE)


def is_preflight(scope: Mapping[str, Any]) -> bool:
    """Whether a request with an Origin asks if another one may be sent."""
    return scope["method"] == "OPTIONS" and _METHOD in scope[HEADERS]


async def answer_preflight(
    scope: Mapping[str, Any], send: Send, origins: AllowedOrigins, *, template: str
) -> ProblemError | None:
    """Answer a preflight; if the origin is not allowed, return the problem that says so.

    Any header that is asked for is allowed: functions read headers of their own, and a browser
    never lets a page set a cookie.

    Args:
        scope: The ASGI scope of the request.
        send: ASGI send.
        origins: Decides whether the origin is allowed.
        template: The template of the path in the route table; "" for an unknown path, whose
            request then tells the page that it is unknown.
    """
    origin, path = scope[HEADERS][b"origin"], scope["path"]
    if not origins.allow(origin, path):
        # For people: without the headers, a browser lets no page see it.
        return ProblemError(
            "cross_site_refused",
            f"Pages of {origin.decode('latin-1')[:_SHOWN]!r} may not use this path. "
            "PENSTOCK_CORS_ORIGINS allows origins for every path, and @function(cors=[…]) for a "
            "function.",
        )
    methods = allowed_methods(template) if template in _TEMPLATES else _ANY_METHOD
    headers = [
        *origins.headers(origin, path),
        (b"access-control-allow-methods", ", ".join(methods).encode()),
        (b"access-control-max-age", b"%d" % _MAX_AGE_S),
    ]
    wanted = scope[HEADERS].get(_WANTED)
    if wanted:
        headers.append((b"access-control-allow-headers", wanted))
    start = {"type": "http.response.start", "status": 204, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": b""})
    return None


def adding(headers: Headers, send: Send) -> Send:
    """Return a `send` that adds headers to a response; they replace those that a function set."""
    if not headers:
        return send

    async def send_with_them(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            others = [pair for pair in message.get("headers", ()) if not pair[0].startswith(_CORS)]
            message = {**message, "headers": [*others, *headers]}
        await send(message)

    return send_with_them
