"""How callers authenticate and which scope each operation needs, as the document shows it."""

from __future__ import annotations

from typing import Any

from gateway.parsing.cookies import SESSION_COOKIE
from gateway.routing.operation import Operation
from gateway.webhooks.schemes import scheme_of
from runtime.sdk.verification import Verification

Json = dict[str, Any]
SECURITY_SCHEMES: dict[str, Json] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key from `penstock keys create`. A gateway on a loopback address "
        "needs no key by default, but a key that is sent is always checked.",
    },
    "webhook": {
        "type": "http",
        "scheme": "basic",
        "description": "The same key as the password, with any user name. This is for webhook "
        "senders that accept only a URL: `https://hook:<key>@host/functions/<name>`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "The cookie that `POST /session` sets. Requests that change something must "
        "come from the gateway's own pages.",
    },
}
# The problems of every operation that needs a key.
KEY_PROBLEMS = ("unauthenticated", "forbidden", "too_many_failures")
_CHANGING = "cross_site_refused"


def security_of(operation: Operation, function: str = "") -> list[Json]:
    """Return the security requirements of an operation; an open one has none.

    Any of the schemes is enough, with the scope that the operation needs.
    """
    scopes = {
        "open": None,
        "any": [],
        "follow": [],
        "invoke": [f"invoke:{function or '<name>'}"],
        "call": [f"invoke:{function or '<name>'}"],
        "see": ["read"],
        "steer": ["operate"],
        "read": ["read"],
        "operate": ["operate"],
        "admin": ["admin"],
    }[operation.permission or "admin"]
    return [] if scopes is None else [{name: scopes} for name in SECURITY_SCHEMES]


def signature_scheme(verification: Verification) -> tuple[str, Json]:
    """Return the name and the security scheme of signed webhooks; either it or a key is enough."""
    scheme = scheme_of(verification)
    return f"signature-{scheme.header.lower()}", {
        "type": "apiKey",
        "in": "header",
        "name": scheme.header,
        "description": "A signature of the body by the sender of a webhook (scheme "
        f"`{verification.scheme}`): {scheme.form}. No key is needed then.",
    }


def key_problems(operation: Operation) -> tuple[str, ...]:
    """Return the problem codes that concern keys."""
    if operation.permission == "open":
        return ()
    return KEY_PROBLEMS if operation.method == "GET" else (*KEY_PROBLEMS, _CHANGING)
