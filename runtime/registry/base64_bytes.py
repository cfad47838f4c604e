"""Read and write bytes in JSON as standard base64, wherever they are in a value.

By default pydantic writes base64 with the URL-safe alphabet, and a model inside another type uses
its own configuration, which rarely says anything about bytes. So the core schema is copied with
the setting filled in. A model whose configuration sets it keeps its own setting.
"""

from __future__ import annotations

import base64
import dataclasses
import weakref
from collections import deque
from enum import Enum
from functools import partial
from typing import Any

from pydantic import BaseModel
from pydantic_core import (
    CoreConfig,
    PydanticCustomError,
    PydanticSerializationUnexpectedValue,
    SchemaSerializer,
    core_schema,
    from_json,
)

from runtime.registry import strict_output
from runtime.registry.core_schema import with_parts
from runtime.registry.core_schemas import make_serializer, make_validator

WRITTEN, READ = "ser_json_bytes", "val_json_bytes"
WRITING = CoreConfig(ser_json_bytes="base64", ser_json_inf_nan="constants")
_DEFAULTS = {READ: "base64", WRITTEN: "base64"}
_CONFIGURED = {"model", "dataclass", "typed-dict"}
_CONTENT = {
    "list": "items_schema",
    "set": "items_schema",
    "frozenset": "items_schema",
    "dict": "values_schema",
}
_AS_THEY_ARE = frozenset({str, int, float, bool, type(None)})
_serializers: weakref.WeakKeyDictionary[type, SchemaSerializer] = weakref.WeakKeyDictionary()


def encode(value: bytes | bytearray | memoryview) -> str:
    """Return bytes as standard base64."""
    return base64.b64encode(value).decode("ascii")


def spell_out(value: object, above: tuple[int, ...] = ()) -> object:
    """Return a value with all bytes in it as base64, including those in models.

    A reference that closes a cycle is left as it is; serialising the value then fails.
    """
    kind = type(value)
    if kind in _AS_THEY_ARE or id(value) in above:
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return encode(value)
    inside = (*above, id(value))
    if isinstance(value, dict):
        return _spell_out_object(value, inside)
    if isinstance(value, list | tuple | set | frozenset | deque):
        return [spell_out(part, inside) for part in value]
    return _spell_out_other(value, inside)


def _spell_out_other(value: object, inside: tuple[int, ...]) -> object:
    if (serializer := serializer_of(type(value))) is not None:
        return _dump(value, serializer)
    if dataclasses.is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return _spell_out_object(named, inside)
    return spell_out(value.value, inside) if isinstance(value, Enum) else value


def _spell_out_object(value: dict[Any, Any], inside: tuple[int, ...]) -> dict[Any, object]:
    made = {
        encode(key) if isinstance(key, bytes) else key: spell_out(part, inside)
        for key, part in value.items()
    }
    if len(made) != len(value):
        raise ValueError("an object has the same key twice")
    return made


def _dump(value: object, serializer: SchemaSerializer) -> object:
    """Return a model's JSON as Python values; raise ValueError if an object has a key twice."""
    text = serializer.to_json(value, by_alias=True)
    # strict_output refuses NaN here; let it through, as it is refused later with a better message.
    has_words = b"NaN" in text or b"Infinity" in text
    return from_json(text) if has_words else strict_output.decode(text)


def serializer_of(kind: type) -> SchemaSerializer | None:
    """Return the serializer for instances of a model, None if pydantic has no schema for it."""
    if not hasattr(kind, "__pydantic_core_schema__"):
        return None
    made = _serializers.get(kind)
    if made is None:
        if issubclass(kind, BaseModel):
            kind.model_rebuild()  # a model may defer building its schema until its first use
        schema = kind.__pydantic_core_schema__
        if not isinstance(schema, dict):
            return None
        made = make_serializer(filled_in(schema), WRITING)
        _serializers[kind] = made
    return made


def filled_in(schema: Any, *, written: str = "base64", read: str = "base64") -> Any:  # noqa: ANN401
    """Return a copy of a core schema that reads and writes bytes as base64.

    Args:
        schema: A core schema or a part of one.
        written: How bytes are written at this place.
        read: How bytes are read at this place.
    """
    if not isinstance(schema, dict):
        return with_parts(schema, partial(filled_in, written=written, read=read))
    kind = schema.get("type")
    own: dict[str, Any] = {}
    if kind in _CONFIGURED:
        own["config"] = {**_DEFAULTS, **schema.get("config", {})}
        written, read = own["config"][WRITTEN], own["config"][READ]
    made: dict[str, Any] = with_parts(schema, partial(filled_in, written=written, read=read))
    if written == "base64" and "serialization" not in schema:
        if kind == "bytes":
            own["serialization"] = _by(_encode_bytes)
        elif kind == "any":
            own["serialization"] = _by(spell_out)
        elif kind in _CONTENT and _CONTENT[kind] not in schema:
            own[_CONTENT[kind]] = core_schema.any_schema(serialization=_by(spell_out))
    made |= own
    if kind == "bytes" and read == "base64" and not _READS_BASE64:
        reference = made.pop("ref", None)
        return core_schema.with_info_before_validator_function(_decode, made, ref=reference)
    return made


def _reads_base64() -> bool:
    """Whether pydantic reads base64 itself: before 2.9 it did not know `val_json_bytes`."""
    config = CoreConfig(val_json_bytes="base64")
    found: bytes = make_validator({"type": "bytes"}, config).validate_json(b'"AA=="')
    return found == b"\0"


_READS_BASE64 = _reads_base64()


def _decode(value: object, info: core_schema.ValidationInfo) -> object:
    """Read base64 as newer releases do: of either alphabet, with padding or without."""
    if info.mode != "json" or not isinstance(value, str):
        return value
    text = value.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise PydanticCustomError(
            "bytes_invalid_encoding",
            "Data should be valid base64: {encoding_error}",
            {"encoding": "base64", "encoding_error": str(error)},
        ) from None


def _by(function: Any) -> core_schema.SerSchema:  # noqa: ANN401
    return core_schema.plain_serializer_function_ser_schema(function, when_used="json")


def _encode_bytes(value: object) -> str:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise PydanticSerializationUnexpectedValue("expected bytes")
    return encode(value)
