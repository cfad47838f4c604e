"""The ASGI application: Falcon, after the body of a request has been checked and read.

Falcon starts when the body is complete. The scope then holds it under `BODY`, and the headers by
name under `HEADERS`. HEAD is served as GET (`IS_HEAD` marks it), and the server drops the body of
the response. A body over the limit of its operation is refused without reading the rest; a body
that is chunked or over 64 KiB is read only after its caller has been authenticated. Responses may
not be cached unless their resource allows it; the server itself adds
`X-Content-Type-Options: nosniff` to each (`gateway.serving.gunicorn_worker`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import falcon.asgi
from falcon.asgi import Request, Response

from gateway.asgi.body_limits import SMALL_BYTES, BodyLimit, BodyLimits
from gateway.asgi.cors import adding, answer_preflight, is_preflight
from gateway.asgi.problem_rendering import INTERNAL, render_problem
from gateway.problems import ProblemError
from gateway.serving.allowed_hosts import AllowedHosts
from gateway.serving.allowed_origins import AllowedOrigins
from gateway.serving.body_memory import BodyMemory
from gateway.serving.limits import ConnectionLimits
from gateway.serving.request_parser import BODY, HEADERS, headers_by_name, one_slash

IS_HEAD = "penstock.is_head"
_CHECKED_FIRST_BYTES = 64 * 1024
_CACHED = frozenset({"GET", "HEAD"})
Event = Mapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Door = Callable[[dict[str, Any]], Awaitable[ProblemError | None]]


class GatewayApplication(falcon.asgi.App[Request, Response]):
    """What gunicorn serves.

    Attributes:
        limits: The limits of a connection (`gateway.serving.gunicorn_worker`).
        bodies: Counts the body bytes that the process holds, over all connections.
        drain: Ends long waits when the process stops.
        hosts: The host names that a request may be for; None allows any.
        origins: The origins whose web pages may use the gateway.
    """

    def __init__(
        self,
        *,
        limits: ConnectionLimits,
        drain: Callable[[], None],
        body_limits: BodyLimits,
        middleware: list[Any],
        door: Door | None = None,
        bodies: BodyMemory | None = None,
        hosts: AllowedHosts | None = None,
        origins: AllowedOrigins | None = None,
    ) -> None:
        super().__init__(middleware=middleware)
        self.limits = limits
        self.drain = drain
        self.hosts = hosts
        self.origins = origins or AllowedOrigins()
        self.bodies = bodies
        self._body_limits = body_limits
        self._door = door

    async def __call__(  # type: ignore[override]
        self, scope: dict[str, Any], receive: Receive, send: Send
    ) -> None:
        """Serve one request, or the ASGI lifespan of the process."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if HEADERS not in scope:
            _note_request(scope)
        origin = scope[HEADERS].get(b"origin")
        if origin is not None and is_preflight(scope):
            template = self._template_of(scope)
            problem = await answer_preflight(scope, send, self.origins, template=template)
            if problem is not None:
                await _refuse(scope, send, problem)
            return
        # A page's POST always has an Origin; a GET without one may fill a cache that pages use.
        if origin is not None or scope["method"] in _CACHED:
            send = adding(self.origins.headers(origin, scope["path"]), send)
        await self._serve(scope, receive, send)

    async def _serve(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        headers = scope[HEADERS]
        limit: BodyLimit | None = None
        announced = int(headers.get(b"content-length", 0))
        is_chunked = b"transfer-encoding" in headers
        if announced > SMALL_BYTES or is_chunked:
            limit = self._limit_of(scope)
            problem = _too_large(limit) if announced > limit.most_bytes else None
            # Before the body is read: a caller without a key must not make us hold a long one.
            if problem is None and self._door and (is_chunked or announced > _CHECKED_FIRST_BYTES):
                problem = await self._door(scope)
            if problem is not None:
                await _refuse(scope, send, problem)
                return
        if BODY not in scope:  # the server puts it there if it came with the head
            body = await _read(receive, limit.most_bytes if limit else SMALL_BYTES)
            if body is None:
                return
            scope[BODY] = body
            receive = _again(body, receive)
        if limit and len(scope[BODY]) > limit.most_bytes:
            await _refuse(scope, send, _too_large(limit))
            return
        is_head = scope[IS_HEAD] = scope["method"] == "HEAD"
        if is_head:
            scope["method"] = "GET"
        await super().__call__(scope, receive, send)

    def _limit_of(self, scope: Mapping[str, Any]) -> BodyLimit:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        return self._body_limits.find(self._template_of(scope), method)

    def _template_of(self, scope: Mapping[str, Any]) -> str:
        found = self._router.find(scope["path"])
        return found[3] or "" if found else ""


def _note_request(scope: dict[str, Any]) -> None:
    """Do what our own server does for every request, if another one has received it."""
    scope["path"] = one_slash(scope["path"])
    scope["headers"] = [(name, value) for name, value in scope["headers"]]
    scope[HEADERS] = headers_by_name(scope["headers"])


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that first returns a body that has been read already."""
    first: Event | None = {"type": "http.request", "body": body, "more_body": False}

    async def receive_again() -> Event:
        nonlocal first
        event, first = first, None
        return event or await receive()

    return receive_again


class CacheHeaders:
    """Falcon middleware that forbids caching unless a resource allows it."""

    async def process_resource(
        self,
        req: Request,
        resp: Response,
        resource: object,  # noqa: ARG002 - Falcon's signature
        params: dict[str, Any],  # noqa: ARG002 - Falcon's signature
    ) -> None:
        """Set the default before the resource runs; caches do not keep responses to POST."""
        if req.method == "GET":
            resp.set_header("Cache-Control", "no-store")


async def _refuse(scope: dict[str, Any], send: Send, problem: ProblemError) -> None:
    """Answer with a problem instead of reading the body, and close the connection."""
    accept = scope[HEADERS].get(b"accept", b"").decode("latin-1")
    rendered = render_problem(problem, scope["path"], accept)
    headers = [
        (b"content-type", rendered.media_type.encode()),
        (b"content-length", b"%d" % len(rendered.body)),
        (b"cache-control", b"no-store"),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
        *([(INTERNAL.lower().encode(), b"gateway")] if rendered.is_openfaas else []),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": rendered.status, "headers": headers})
    await send({"type": "http.response.body", "body": rendered.body})


def _too_large(limit: BodyLimit) -> ProblemError:
    return ProblemError("body_too_large", limit.explain())


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Return the body, or None if the client left; stop reading once it is over the limit."""
    event = await receive()
    pieces: list[bytes] = []
    size = 0
    while event["type"] != "http.disconnect":
        pieces.append(event.get("body", b""))
        size += len(pieces[-1])
        if size > limit or not event.get("more_body", False):
            return b"".join(pieces)
        event = await receive()
    return None
