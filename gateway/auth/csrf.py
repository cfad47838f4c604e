"""Requests that a page of another site makes a browser send are refused, if they change anything.

A browser adds cookies and remembered passwords to whatever a page asks for, and
reaches what only its own machine can. So it has to say where a request comes from:
by Sec-Fetch-Site or, where it has none, by Origin. Others than browsers send neither.
A key as Bearer is never added by a browser, and needs no proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from gateway.serving.request_parser import HEADERS

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({b"same-origin", b"none"})


def comes_from_elsewhere(scope: Mapping[str, Any], public_origin: bytes = b"") -> bool:
    """Whether a browser says that a page of another origin caused the request.

    `public_origin` is how a proxy is called in front of us that does not pass on its name.
    """
    noted = scope[HEADERS]
    site: bytes | None = noted.get(b"sec-fetch-site")
    if site is not None:
        return site not in _OURS
    origin: bytes | None = noted.get(b"origin")
    if origin is None or (public_origin and origin == public_origin):
        return False
    authority = origin.partition(b"://")[2]
    return not authority or authority.lower() != _host_of(scope)


def proves_origin(scope: Mapping[str, Any]) -> bool:
    """Whether a browser says where the request comes from."""
    noted = scope[HEADERS]
    return b"sec-fetch-site" in noted or b"origin" in noted


def origin_of(url: str) -> bytes:
    """Return the origin of a base address as browsers write it; empty for none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower().encode() if parts.netloc else b""


def _host_of(scope: Mapping[str, Any]) -> bytes:
    for name, value in scope["headers"]:
        if name == b"host":
            host: bytes = value.lower()
            return host
    return b""
