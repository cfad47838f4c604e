"""Falcon (WSGI) before Celery, under gunicorn's gevent worker: a caller who waits costs a greenlet.

Waiting is Celery's own way there: `get`, whose greenlet sleeps until the one that reads Redis's
publish/subscribe wakes it.
"""

from __future__ import annotations

import json
from typing import Any

import falcon
from work import fetch, noop, sleep_1s, sleep_100ms

WORK = {"noop": noop, "sleep_100ms": sleep_100ms, "sleep_1s": sleep_1s, "fetch": fetch}
_LIMIT_S = 30


class Accept:
    """Queues a call."""

    def on_post(self, req: Any, resp: Any, name: str) -> None:
        """Answer with its id."""
        call = WORK[name].apply_async(kwargs=json.loads(req.bounded_stream.read()))
        resp.status = 202
        resp.content_type = "application/json"
        resp.data = b'{"id":"%s"}' % call.id.encode()


class Wait:
    """Queues a call and waits for its result."""

    def on_post(self, req: Any, resp: Any, name: str) -> None:
        """Answer with its result."""
        call = WORK[name].apply_async(kwargs=json.loads(req.bounded_stream.read()))
        result = call.get(timeout=_LIMIT_S)
        resp.content_type = "application/json"
        resp.data = json.dumps({"result": result}, separators=(",", ":")).encode()


app = falcon.App()
app.add_route("/accept/{name}", Accept())
app.add_route("/wait/{name}", Wait())
