"""A bare Falcon echo: what answering costs when nothing is queued.

`app` is for a stock uvicorn worker; `gateway_app` is the same for our gateway's own
class of worker, which asks an application for its limits and for a drain.
"""

from __future__ import annotations

from typing import Any

import falcon.asgi

from gateway.serving.limits import ConnectionLimits


class Echo:
    """Gives the body back."""

    async def on_post(self, req: Any, resp: Any, **_: str) -> None:
        """Answer 202 with what came."""
        resp.data = await req.stream.read()
        resp.content_type = "application/json"
        resp.status = 202


class MediaEcho:
    """Reads JSON and answers it, by Falcon's own handlers, as its tutorial has it."""

    async def on_post(self, req: Any, resp: Any, **_: str) -> None:
        """Answer 202 with what came."""
        resp.media = await req.get_media()
        resp.status = 202


class Bare(falcon.asgi.App):
    """An application as our class of worker expects it."""

    limits = ConnectionLimits()

    def drain(self) -> None:
        """Nothing waits."""


app = falcon.asgi.App()
app.add_route("/accept/{name}", Echo())
gateway_app = Bare()
gateway_app.add_route("/accept/{name}", Echo())
media_app = Bare()
media_app.add_route("/accept/{name}", MediaEcho())
