"""The JSON that Penstock accepts, in request bodies and from functions.

RFC 8259 in UTF-8 without a byte order mark: at most 64 levels deep, no duplicate keys, no NaN or
Infinity, no lone surrogates, finite numbers, integers of at most 4,300 digits. A small ordinary
text costs one decode and two counts; only a doubtful one is examined further (`json_shape`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from runtime import json_shape
from runtime.json_shape import DEEPEST

ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
encode = msgspec.json.Encoder().encode

parse = msgspec.json.Decoder().decode
"""Return the value of a JSON text, integers exact; raises one of `ERRORS`. Checks no more."""


def decode(text: bytes, *, deepest: int = DEEPEST) -> Any:  # noqa: ANN401 - a JSON value is any
    """Return the value of a JSON text; integers are exact.

    Raises:
        ValueError: The text is not accepted JSON; the message says why.
    """
    try:
        value = parse(text)
    except RecursionError as error:
        raise ValueError(json_shape.too_deep(deepest)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not json_shape.is_plain(text, value, encode, deepest=deepest):
        raise ValueError(json_shape.fault_of(text, deepest=deepest))
    return value
