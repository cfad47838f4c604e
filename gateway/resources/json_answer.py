"""Answering with JSON."""

from __future__ import annotations

import msgspec
from falcon.asgi import Response


def answer_json(resp: Response, value: object, status: int | None = None) -> None:
    """Answer with a value as JSON; the status is 200 unless one is given or set before."""
    if status is not None:
        resp.status = status
    resp.content_type = "application/json"
    resp.data = msgspec.json.encode(value)
