"""Mask the secrets in arguments, at the places that `secret_paths` has found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from runtime.registry.secret_paths import Place

MASK = "**********"
_decode_places = msgspec.json.Decoder(tuple[tuple[str | None, ...], ...]).decode
# Numbers with a point or an exponent keep their digits.
_decode = msgspec.json.Decoder(float_hook=lambda digits: msgspec.Raw(digits.encode())).decode


def encode_paths(places: Iterable[Place]) -> bytes:
    """Return places as they are stored with an invocation; empty if there are none."""
    found = tuple(places)
    return msgspec.json.encode(found) if found else b""


def mask(arguments: bytes, places: bytes) -> bytes:
    """Return the arguments with the values at these places masked.

    Args:
        arguments: A JSON object.
        places: As `encode_paths` returned them.
    """
    if not places:
        return arguments
    value = _decode(arguments)
    for place in _decode_places(places):
        value = _masked(value, place)
    return msgspec.json.encode(value)


def _masked(value: Any, place: Place) -> Any:  # noqa: ANN401 - any JSON value
    if not place:
        return value if value is None else MASK
    name, further = place[0], place[1:]
    if isinstance(value, dict):
        return {
            key: _masked(part, further) if name in (None, key) else part
            for key, part in value.items()
        }
    if isinstance(value, list) and name is None:
        return [_masked(part, further) for part in value]
    return value
