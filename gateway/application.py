"""The ASGI application: Falcon, behind a body that is read whole and bounded first.

Falcon starts once the body has arrived; it lies in the scope under `BODY`, and the few
headers that every call is asked for under `NOTED`. HEAD is served as GET, and its
response's body dropped by the server (`IS_HEAD` tells them apart). A body over the limit is refused
without reading the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import falcon.asgi
from falcon.asgi import Request, Response

from gateway.preferences import fault_of, refuse_parameters
from gateway.problems import MEDIA_TYPE, encode_problem, status_of
from gateway.serving.limits import Limits

BODY = "penstock.body"
NOTED = "penstock.noted"
IS_HEAD = "penstock.is_head"
_BATCH_SUFFIX = "/batch"
_NOTED_HEADERS = frozenset(
    {
        *(b"authorization", b"content-length", b"prefer", b"x-callback-url"),
        *(b"idempotency-key", b"traceparent", b"tracestate"),
        *(b"cookie", b"origin", b"sec-fetch-site"),
    }
)

Event = Mapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class GatewayApplication(falcon.asgi.App[Request, Response]):
    """What gunicorn serves.

    Attributes:
        limits: What a connection may ask of the server (`gateway.serving.worker`).
        drain: Ends long waits when the process stops.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        drain: Callable[[], None],
        max_body_bytes: int,
        max_batch_bytes: int,
        middleware: list[Any],
    ) -> None:
        super().__init__(middleware=middleware)
        self.limits = limits
        self.drain = drain
        self._max_body_bytes = max_body_bytes
        self._max_batch_bytes = max_batch_bytes

    async def __call__(  # type: ignore[override]
        self, scope: dict[str, Any], receive: Receive, send: Send
    ) -> None:
        """Serve one request, or the process's life."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope[NOTED] = _note(scope["headers"])
        try:
            body = await self._read_body(scope, receive)
        except _TooLargeError:
            await self._refuse(scope, send, self._limit_of(scope))
            return
        if body is None:
            return
        scope[IS_HEAD] = scope["method"] == "HEAD"
        if scope[IS_HEAD]:
            scope = {**scope, "method": "GET"}
        scope[BODY] = body
        first: list[Event] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_again() -> Event:
            return first.pop() if first else await receive()

        await super().__call__(scope, receive_again, send)

    def _limit_of(self, scope: Mapping[str, Any]) -> int:
        if scope["path"].endswith(_BATCH_SUFFIX):
            return self._max_batch_bytes
        return self._max_body_bytes

    async def _read_body(self, scope: dict[str, Any], receive: Receive) -> bytes | None:
        """Return the whole body, or None when the client left."""
        limit = self._limit_of(scope)
        if int(scope[NOTED].get(b"content-length", 0)) > limit:
            raise _TooLargeError
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        body: bytes = event.get("body", b"")
        pieces = [body]
        size = len(body)
        while event.get("more_body", False):
            if size > limit:
                raise _TooLargeError
            event = await receive()
            if event["type"] == "http.disconnect":
                return None
            pieces.append(event.get("body", b""))
            size += len(pieces[-1])
        if size > limit:
            raise _TooLargeError
        return body if len(pieces) == 1 else b"".join(pieces)

    async def _refuse(self, scope: dict[str, Any], send: Send, limit: int) -> None:
        problem = encode_problem(
            "body_too_large",
            f"A request body has at most {limit} bytes here.",
            instance=scope["path"],
        )
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", b"%d" % len(problem)),
            (b"connection", b"close"),
        ]
        status = status_of("body_too_large")
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": problem})


def noted_header(scope: Mapping[str, Any], name: bytes) -> str | None:
    """Return one of the noted headers, several of a name joined by commas."""
    value: bytes | None = scope[NOTED].get(name)
    return None if value is None else value.decode("latin-1")


def single_header(scope: Mapping[str, Any], name: str) -> str | None:
    """Return one of the noted headers, of which there may be no second.

    Raises:
        ProblemError: `parameter_invalid`: it was given more than once.
    """
    noted = name.lower().encode()
    value = noted_header(scope, noted)
    # Several of a name are joined by commas; few values have one, so few are counted.
    joined = value is not None and "," in value
    if joined and sum(given == noted for given, _ in scope["headers"]) > 1:
        refuse_parameters([fault_of(name, "given more than once")])
    return value


def _note(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    noted: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _NOTED_HEADERS:
            noted[name] = b"%b,%b" % (noted[name], value) if name in noted else value
    return noted


class _TooLargeError(Exception):
    pass
