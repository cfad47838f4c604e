"""Check the JSON that a function gives, where it runs, by the rules of `runtime.strict_json`.

With pydantic's parser: functions may run in an environment of their own, in which pydantic is the
only package that Penstock finds.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json, to_json

from runtime import json_shape
from runtime.json_shape import DEEPEST


def decode(text: bytes, *, deepest: int = DEEPEST) -> Any:  # noqa: ANN401 - a JSON value is any
    """Return the value of a JSON text; integers are exact.

    Raises:
        ValueError: The text is not accepted JSON; the message says why.
    """
    try:
        value = from_json(text, allow_inf_nan=False, cache_strings="none")
    except RecursionError as error:
        raise ValueError(json_shape.too_deep(deepest)) from error
    except ValueError as error:
        fault = str(error)
        if "recursion" in fault:
            raise ValueError(json_shape.too_deep(deepest)) from error
        raise ValueError(f"not JSON: {fault}") from error
    if not json_shape.is_plain(text, value, to_json, deepest=deepest):
        raise ValueError(json_shape.fault_of(text, deepest=deepest))
    return value
