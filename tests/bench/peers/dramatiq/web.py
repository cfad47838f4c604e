"""Falcon (WSGI, gunicorn's threads) before Dramatiq.

Dramatiq's client blocks, so a thread a caller is its natural server; waiting is its own
`get_result(block=True)`, which blocks in Redis.
"""

from __future__ import annotations

import json
from typing import Any

import falcon
from work import burn, carry, nap, noop

WORK = {"noop": noop, "burn": burn, "nap": nap, "carry": carry}
_LIMIT_MS = 30_000


class Accept:
    """Queues a call."""

    def on_post(self, req: Any, resp: Any, name: str) -> None:
        """Answer with its id."""
        message = WORK[name].send(**json.loads(req.bounded_stream.read()))
        resp.status = 202
        resp.content_type = "application/json"
        resp.data = b'{"id":"%s"}' % message.message_id.encode()


class Wait:
    """Queues a call and waits for its result."""

    def on_post(self, req: Any, resp: Any, name: str) -> None:
        """Answer with its result."""
        message = WORK[name].send(**json.loads(req.bounded_stream.read()))
        result = message.get_result(block=True, timeout=_LIMIT_MS)
        resp.content_type = "application/json"
        resp.data = json.dumps({"result": result}, separators=(",", ":")).encode()


app = falcon.App()
app.add_route("/accept/{name}", Accept())
app.add_route("/wait/{name}", Wait())
