"""The HTTP request of a call, as functions that take a `Request` get it."""

from __future__ import annotations

from collections.abc import Sequence

from falcon.asgi import Request

from gateway.asgi.application import IS_HEAD
from gateway.auth.caller import caller_of
from gateway.parsing.arguments import RawRequest
from gateway.serving.request_parser import BODY


def incoming_of(
    req: Request,
    *,
    rest: str = "",
    origin: str = "",
    shows_cookies: bool = False,
    more_headers: Sequence[tuple[bytes, bytes]] = (),
) -> RawRequest:
    """Return the parts of a request that can become arguments.

    Args:
        req: The request.
        rest: What follows the function's name in the path.
        origin: The origin that callers see, if a proxy does not pass on theirs.
        shows_cookies: Whether the function gets its cookies, except the session of the dashboard.
        more_headers: Headers that the gateway adds for the function, in place of the caller's.
    """
    scope = req.scope
    return RawRequest(
        method="HEAD" if scope[IS_HEAD] else req.method,
        path=f"/{rest}",
        url=_url_of(req, origin),
        query=req.query_string,
        headers=_with(scope["headers"], more_headers) if more_headers else scope["headers"],
        content_type=req.content_type or "",
        body=scope[BODY],
        shows_authorization=not caller_of(scope).key_id,
        shows_cookies=shows_cookies,
    )


def _with(
    headers: Sequence[tuple[bytes, bytes]], more: Sequence[tuple[bytes, bytes]]
) -> list[tuple[bytes, bytes]]:
    replaced = dict(more)
    return [*(header for header in headers if header[0] not in replaced), *more]


def _url_of(req: Request, origin: str) -> str:
    """Return the URL as the caller wrote it, as some senders sign it."""
    raw_path: bytes | None = req.scope.get("raw_path")
    path = req.path if raw_path is None else raw_path.decode("latin-1")
    query = f"?{req.query_string}" if req.query_string else ""
    return f"{origin or f'{req.scheme}://{req.netloc}'}{path}{query}"
