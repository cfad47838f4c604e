"""The CSRF check: refuse changes that a page of another site makes a browser send.

A browser adds cookies and remembered passwords to requests of any page, and reaches services that
only its machine can reach. It also says where a request comes from, in Sec-Fetch-Site or, in older
browsers, in Origin; other clients send neither header. A Bearer key needs no check, because a
browser never adds it by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from gateway.serving.request_parser import HEADERS

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({b"same-origin", b"none"})


def comes_from_elsewhere(scope: Mapping[str, Any], public_origin: bytes = b"") -> bool:
    """Whether a browser says that a page of another origin made the request.

    Args:
        scope: The ASGI scope of the request.
        public_origin: The origin of a proxy that does not forward its Host header.
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


def is_navigation(scope: Mapping[str, Any]) -> bool:
    """Whether a browser opens the address in a window, as when somebody follows a link."""
    noted: Mapping[bytes, bytes] = scope[HEADERS]
    method: str = scope["method"]
    opens = noted.get(b"sec-fetch-mode"), noted.get(b"sec-fetch-dest")
    return method == "GET" and opens == (b"navigate", b"document")


def proves_origin(scope: Mapping[str, Any]) -> bool:
    """Whether the request says where it comes from."""
    noted = scope[HEADERS]
    return b"sec-fetch-site" in noted or b"origin" in noted


def origin_of(url: str) -> bytes:
    """Return the origin of a base URL as browsers write it; empty without a host."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower().encode() if parts.netloc else b""


def _host_of(scope: Mapping[str, Any]) -> bytes:
    for name, value in scope["headers"]:
        if name == b"host":
            host: bytes = value.lower()
            return host
    return b""
