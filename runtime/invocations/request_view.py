"""The HTTP request behind an invocation, as its record shows it: secrets masked, the body limited.

It is for functions that take a `Request`, e.g. webhooks of other services, whose signatures and
tokens would let a reader send more of them. What the function gets is not masked.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import unquote, urlsplit

from runtime.sdk.request import Request, decode_request

MASK = "***"
MOST_BODY_BYTES = 64 * 1024
_SECRET = re.compile(
    r"authori[sz]ation|cookie|signature|hmac|token|secret|passw|credential|session|jwt"
    r"|(^|[-_])(auth|key|apikey|sig|pwd|sid)([-_]|$)|^code$",
    re.IGNORECASE,
)


def request_view(stored: bytes, *, most_body_bytes: int = MOST_BODY_BYTES) -> dict[str, Any]:
    """Return a stored request as callers see it.

    Args:
        stored: What `encode_request` returned.
        most_body_bytes: A longer body is left out (`body` null and `body_omitted` true).
    """
    request = decode_request(stored)
    size = len(request.body)
    view: dict[str, Any] = {
        "method": request.method,
        "path": _path_of(request),
        "query": {name: _masked(name, value) for name, value in request.query.items()},
        "headers": {name: _masked(name, value) for name, value in request.headers.items()},
        "body": None,
        "body_encoding": None,
        "body_bytes": size,
    }
    if size > most_body_bytes:
        view["body_omitted"] = True
    elif size:
        view["body"], view["body_encoding"] = _written(request.body)
    return view


def _path_of(request: Request) -> str:
    """Return the whole path, as the caller wrote it; the query may hold secrets."""
    return unquote(urlsplit(request.url).path) or request.path


def is_secret(name: str) -> bool:
    """Whether a header or query parameter of this name holds a secret, judging by the name."""
    return _SECRET.search(name) is not None


def _masked(name: str, value: object) -> object:
    if not is_secret(name):
        return value
    return [MASK] * len(value) if isinstance(value, list) else MASK


def _written(body: bytes) -> tuple[str, str]:
    """Return a body as text if it is UTF-8 without NUL, else in base64; and which of them."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), "base64"
    if "\0" in text:
        return base64.b64encode(body).decode("ascii"), "base64"
    return text, "text"
