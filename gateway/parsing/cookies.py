"""The Cookie header: the gateway's own session cookie, and what functions see of the others."""

from __future__ import annotations

SESSION_COOKIE = "penstock_session"


def without_session(header: str) -> str:
    """Return a Cookie header without the session cookie of the gateway."""
    pairs = (pair.strip() for pair in header.split(";"))
    return "; ".join(pair for pair in pairs if pair and _name_of(pair) != SESSION_COOKIE)


def sets_session(header: str) -> bool:
    """Whether a Set-Cookie header would replace the session cookie of the gateway.

    A cookie without a name is sent back as its value alone, which then looks like a pair.
    """
    return header.lstrip("= \t").startswith(SESSION_COOKIE)


def _name_of(pair: str) -> str:
    return pair.partition("=")[0].strip()
