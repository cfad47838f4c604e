"""The Falcon request of a POST, made with less ado.

Half of what Falcon's own constructor does is for queries, repeated headers, GET and
WebSocket; a POST with none of these is made here, every other as Falcon makes it. What a
responder sees is the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from falcon.asgi import Request
from falcon.request import RequestOptions

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class PostRequest(Request):
    """A request whose body has been read."""

    def __init__(
        self,
        scope: dict[str, Any],
        receive: Receive,
        body: bytes,
        headers: dict[bytes, bytes],
        options: RequestOptions,
    ) -> None:
        """Make a request.

        Args:
            scope: Of ASGI.
            receive: Asked for what follows the body.
            body: Whole.
            headers: By name, those repeated joined by commas.
            options: The application's.
        """
        event = {"type": "http.request", "body": body, "more_body": False}
        if scope["query_string"] or len(headers) != len(scope["headers"]):
            super().__init__(scope, receive, event, options)
            return
        self._asgi_headers = headers
        self._first_event = event
        self._receive = receive
        self._params: dict[str, str | list[str]] = {}
        self.scope = scope
        self.options = options
        self.is_websocket = False
        self.method = "POST"
        self.path = scope["path"]
        self.query_string = ""
        self.uri_template = None
        media_type = headers.get(b"content-type")
        self.content_type = None if media_type is None else media_type.decode("latin-1")
        self.context = self.context_type()
