"""How callers show who they are, and which scope each operation needs, as the document has it."""

from __future__ import annotations

from typing import Any

from gateway.auth.session_cookie import NAME
from gateway.routing.operation import Operation

Json = dict[str, Any]
SECURITY_SCHEMES: dict[str, Json] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key: `penstock keys create`. A gateway that only its own machine "
        "can reach asks for none, unless told to; a key that is shown is always checked.",
    },
    "webhook": {
        "type": "http",
        "scheme": "basic",
        "description": "The same key as the password, with any user name: for senders of webhooks "
        "that take no more than an address, `https://hook:<key>@host/functions/<name>`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": NAME,
        "description": "What `POST /session` gives a browser. Requests that change something "
        "must come from our own pages.",
    },
}
# What an operation that needs some key may answer to one, or to the want of one.
KEY_PROBLEMS = ("unauthenticated", "forbidden", "too_many_failures")
_CHANGING = "cross_site_refused"


def security_of(operation: Operation, function: str = "") -> list[Json]:
    """Return who may: any of the schemes, with the scope; none are needed where it is open."""
    scopes = {
        "open": None,
        "any": [],
        "follow": [],
        "invoke": [f"invoke:{function or '<name>'}"],
        "see": ["read"],
        "steer": ["operate"],
        "read": ["read"],
        "operate": ["operate"],
        "admin": ["admin"],
    }[operation.scope or "admin"]
    return [] if scopes is None else [{name: scopes} for name in SECURITY_SCHEMES]


def key_problems(operation: Operation) -> tuple[str, ...]:
    """Return the problems that have to do with keys."""
    if operation.scope == "open":
        return ()
    return KEY_PROBLEMS if operation.method == "GET" else (*KEY_PROBLEMS, _CHANGING)
