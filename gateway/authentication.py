"""Who may call: closed or open, and a route without a scope refuses everybody.

There are no API keys yet, so a gateway is either open to all who can reach it (a
loopback bind, or `auth` off) or answers 401 to everything but the `open` scope. A key
that is shown is always checked, and so always unknown.
"""

from __future__ import annotations

from typing import Any

from falcon.asgi import Request, Response

from gateway.application import noted_header
from gateway.binding import is_loopback
from gateway.preferences import read_query_lists
from gateway.problems import ProblemError
from gateway.routes import OPEN_PATHS, allowed_methods, find_operation
from runtime.settings import Settings

_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Doorkeeper:
    """Falcon middleware that judges every request, first by key and then by scope."""

    def __init__(self, *, is_open: bool) -> None:
        self._is_open = is_open

    async def process_request(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Refuse who shows no key where one is needed, or one that is unknown."""
        shown = noted_header(req.scope, b"authorization")
        if shown is None and self._is_open:
            return
        if req.path in OPEN_PATHS:
            return
        if shown is not None and shown[:7].lower() == "bearer ":
            raise ProblemError("unauthenticated", "This API key is not known.", headers=_CHALLENGE)
        if not self._is_open:
            raise ProblemError(
                "unauthenticated",
                "Show an API key as `Authorization: Bearer …`.",
                headers=_CHALLENGE,
            )

    async def process_resource(
        self,
        req: Request,
        resp: Response,  # noqa: ARG002 - Falcon's signature
        resource: object,  # noqa: ARG002 - Falcon's signature
        params: dict[str, Any],  # noqa: ARG002 - Falcon's signature
    ) -> None:
        """Refuse an operation without a scope, and query parameters it does not know."""
        operation = find_operation(req.uri_template or "", req.method)
        if operation is None:
            if req.method == "OPTIONS":
                return
            raise _unknown_method(req)
        if operation.scope is None:
            raise ProblemError("forbidden", "No scope is declared for this operation.")
        if req.query_string and not operation.reads_own_query:
            read_query_lists(req.query_string, operation.query)


def _unknown_method(req: Request) -> ProblemError:
    allowed = ", ".join(allowed_methods(req.uri_template or ""))
    return ProblemError(
        "method_not_allowed", f"{req.path} takes {allowed}.", headers={"Allow": allowed}
    )


def is_open(settings: Settings) -> bool:
    """Whether callers need no key."""
    if settings.auth == "auto":
        return is_loopback(settings.host)
    return settings.auth == "off"
