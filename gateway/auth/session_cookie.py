"""The session cookie: set at login, read with each request, deleted at logout.

Scripts cannot read it (HttpOnly), pages of other sites cannot make a browser send it
(SameSite=Strict), and over TLS it is never sent unencrypted (Secure).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.parsing.cookies import SESSION_COOKIE
from gateway.serving.request_parser import HEADERS
from runtime.access.api_key import digest_of_session

LONGEST_MS = 12 * 3_600_000


def session_of(scope: Mapping[str, Any]) -> str | None:
    """Return the digest of the session of a request; None without a valid cookie."""
    header: bytes | None = scope[HEADERS].get(b"cookie")
    if header is None:
        return None
    for pair in header.decode("latin-1").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == SESSION_COOKIE:
            return digest_of_session(value)
    return None


def cookie_for(text: str, *, lasts_ms: int, is_secure: bool) -> str:
    """Return the Set-Cookie header that starts a session."""
    return _cookie(text, lasts_ms // 1000, is_secure=is_secure)


def cookie_to_forget(*, is_secure: bool) -> str:
    """Return the Set-Cookie header that deletes the cookie."""
    return _cookie("", 0, is_secure=is_secure)


def _cookie(value: str, max_age_s: int, *, is_secure: bool) -> str:
    secure = "; Secure" if is_secure else ""
    pair = f"{SESSION_COOKIE}={value}"
    return f"{pair}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}"
