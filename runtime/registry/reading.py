"""How a core schema of pydantic's is made to read here what JSON holds.

Bytes are base64 (`runtime.registry.base64_bytes`). What is only to be iterated over is read as
a whole: pydantic would check each item when the function comes to it, and what is wrong with
the arguments would look like a failure of the function.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import core_schema

from runtime.registry.base64_bytes import filled_in

_NO_SCHEMA = frozenset({"config", "metadata", "default", "expected", "cls"})


def readable(schema: Any) -> Any:  # noqa: ANN401
    """Return a copy of a core schema for a validator of arguments."""
    return _whole(filled_in(schema), iterates=True)


def as_lists(schema: Any) -> Any:  # noqa: ANN401
    """Return a copy of a core schema for results: what is iterable may be a list."""
    return _whole(filled_in(schema), iterates=False)


def _whole(schema: Any, *, iterates: bool) -> Any:  # noqa: ANN401
    if isinstance(schema, list | tuple):
        return type(schema)([_whole(part, iterates=iterates) for part in schema])
    if not isinstance(schema, dict):
        return schema
    made = {
        key: part if key in _NO_SCHEMA else _whole(part, iterates=iterates)
        for key, part in schema.items()
    }
    if schema.get("type") != "generator":
        return made
    made["type"] = "list"
    if not iterates:
        return made
    reference = made.pop("ref", None)
    return core_schema.no_info_after_validator_function(iter, made, ref=reference)
