"""A function that takes many kinds of arguments, and what reaches it of a call."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import httpx

from runtime.registry.manifest import Manifest
from tests.support.gateway_process import RunningGateway

BASE64 = {"type": "string", "contentEncoding": "base64"}
COLLECT = Manifest(
    name="collect",
    version="dddddddddddd",
    file="collect.py",
    parameters={
        "type": "object",
        "$defs": {"Point": {"type": "object", "properties": {"x": {"type": "integer"}}}},
        "properties": {
            "files": {"type": "array", "items": BASE64},
            "tags": {"type": "array", "items": {"type": "string"}},
            "sizes": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]},
            "points": {"type": "array", "items": {"$ref": "#/$defs/Point"}, "uniqueItems": True},
            "title": {"type": "string"},
            "count": {"type": "integer"},
            "photo": {"anyOf": [BASE64, {"type": "null"}]},
        },
        "additionalProperties": False,
    },
    bytes_parameters=("photo",),
)


def encoded(data: bytes) -> str:
    """Return bytes as arguments have them."""
    return base64.b64encode(data).decode()


def arguments_reader(gateway: RunningGateway, http: httpx.Client) -> Callable[..., object]:
    """Return what calls, takes the call as a worker, and returns its arguments."""
    gateway.publish(COLLECT)

    def arguments_of(function: str = "collect", **request: object) -> object:
        answer = http.post(f"/functions/{function}", **request)  # type: ignore[arg-type]
        assert answer.status_code == 202, answer.text
        claimed = gateway.claim()
        gateway.finish(claimed)
        return json.loads(claimed.arguments)

    return arguments_of
