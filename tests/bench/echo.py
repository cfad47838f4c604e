"""The floor of acceptance: a Falcon resource that answers the JSON body it is sent.

Served by the gateway's own worker class, so that what a call costs more than this is the
gateway's doing. `/media` is written as Falcon's tutorial has it; `/raw` leaves out all it can.
"""

from __future__ import annotations

import falcon.asgi
import msgspec
from falcon.asgi import Request, Response

from gateway.serving.limits import ConnectionLimits


class MediaEcho:
    """Reads and writes by Falcon's media handlers."""

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer the body."""
        resp.status = 202
        resp.media = await req.get_media()


class RawEcho:
    """Reads and writes bytes, and decodes by msgspec."""

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer the body."""
        resp.status = 202
        resp.content_type = "application/json"
        resp.data = msgspec.json.encode(msgspec.json.decode(await req.stream.read()))


class EchoApplication(falcon.asgi.App[Request, Response]):
    """What `gateway.serving.gunicorn_worker` wants of an application."""

    limits = ConnectionLimits()

    def drain(self) -> None:
        """Nobody waits."""


def create() -> EchoApplication:
    """Return the application."""
    app = EchoApplication()
    app.add_route("/media", MediaEcho())
    app.add_route("/raw", RawEcho())
    return app
