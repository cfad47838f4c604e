"""Encodes `ctx.progress` and `ctx.emit` as JSON of limited length, for both backends."""

from __future__ import annotations

import msgspec

from runtime import strict_json
from runtime.sdk.context import Number

MAX_EVENT_BYTES = 262_144


def encode_event(value: object) -> bytes:
    """Return an event as JSON.

    Raises:
        TypeError: It has no JSON form.
        ValueError: It is too long, or is not strict JSON, for example because a key repeats.
    """
    payload = msgspec.json.encode(value)
    strict_json.decode(payload)
    if len(payload) > MAX_EVENT_BYTES:
        raise ValueError(f"{len(payload)} bytes; at most {MAX_EVENT_BYTES} can be sent")
    return payload


def encode_progress(done: Number, total: Number | None, message: str) -> bytes:
    """Return progress as JSON; raises ValueError if the message is too long."""
    return encode_event({"done": done, "total": total, "message": message})
