"""What `ctx.progress` and `ctx.emit` send, as JSON of bounded length; the same in both lanes."""

from __future__ import annotations

import msgspec

from runtime import strict_json
from runtime.sdk.context import Number

MAX_EVENT_BYTES = 262_144


def encode_event(value: object) -> bytes:
    """Return an event as JSON.

    Raises:
        TypeError: It has no JSON form.
        ValueError: It is too long to be told, or holds what JSON may not, such as a key twice.
    """
    payload = msgspec.json.encode(value)
    strict_json.decode(payload)
    if len(payload) > MAX_EVENT_BYTES:
        raise ValueError(f"{len(payload)} bytes; at most {MAX_EVENT_BYTES} can be sent")
    return payload


def encode_progress(done: Number, total: Number | None, message: str) -> bytes:
    """Return how far the work is, as JSON; raises ValueError when the message is too long."""
    return encode_event({"done": done, "total": total, "message": message})
