"""Bytes inside JSON are standard base64, both ways, whatever they are a part of.

pydantic writes the URL-safe alphabet, and a model inside another type goes by its own
configuration, which mostly says nothing about bytes. So the core schema is copied with
that filled in. A model that says how its bytes are written is left to that.
"""

from __future__ import annotations

import base64
from typing import Any

from pydantic_core import PydanticSerializationUnexpectedValue, core_schema

WRITTEN, READ = "ser_json_bytes", "val_json_bytes"
_DEFAULTS = {READ: "base64", WRITTEN: "base64"}
_CONFIGURED = {"model", "dataclass", "typed-dict"}
_CONTENT = {
    "list": "items_schema",
    "set": "items_schema",
    "frozenset": "items_schema",
    "dict": "values_schema",
}


def encode(value: bytes | bytearray | memoryview) -> str:
    """Return the standard base64."""
    return base64.b64encode(value).decode("ascii")


def spell_out(value: object, above: tuple[int, ...] = ()) -> object:
    """Return a value with the bytes in its containers as base64; a cycle is left in it."""
    if isinstance(value, bytes | bytearray | memoryview):
        return encode(value)
    if type(value) not in (dict, list, tuple, set, frozenset) or id(value) in above:
        return value
    inside = (*above, id(value))
    if isinstance(value, dict):
        return {spell_out(key): spell_out(part, inside) for key, part in value.items()}
    return [spell_out(part, inside) for part in value]  # type: ignore[attr-defined]


def filled_in(schema: Any, *, written: str = "base64") -> Any:  # noqa: ANN401
    """Return a copy of a core schema that reads and writes bytes as base64.

    Args:
        schema: A core schema or a part of one.
        written: How bytes are written where it stands.
    """
    if isinstance(schema, list | tuple):
        return type(schema)([filled_in(part, written=written) for part in schema])
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    own: dict[str, Any] = {}
    if kind in _CONFIGURED:
        own["config"] = {**_DEFAULTS, **schema.get("config", {})}
        written = own["config"][WRITTEN]
    made = {
        key: part
        if key in {"config", "metadata", "default", "expected", "cls"}
        else filled_in(part, written=written)
        for key, part in schema.items()
    }
    if written == "base64" and "serialization" not in schema:
        if kind == "bytes":
            own["serialization"] = _by(_encode_bytes)
        elif kind == "any":
            own["serialization"] = _by(spell_out)
        elif kind in _CONTENT and _CONTENT[kind] not in schema:
            own[_CONTENT[kind]] = core_schema.any_schema(serialization=_by(spell_out))
    return made | own


def _by(function: Any) -> core_schema.SerSchema:  # noqa: ANN401
    return core_schema.plain_serializer_function_ser_schema(function, when_used="json")


def _encode_bytes(value: object) -> str:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise PydanticSerializationUnexpectedValue("expected bytes")
    return encode(value)
