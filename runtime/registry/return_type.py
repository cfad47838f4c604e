"""What a function says it returns, and whether a value is that; prepared when its file loads.

pydantic's serializer knows the types that it expects, so what is right costs one pass. Where it
finds something else, the value counts as its JSON: a dict under a model becomes the model, a
tuple under a list a list, and what does not fit either is no result of this function.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, SchemaSerializer, SchemaValidator, to_json

from runtime.errors import ResultNotSerializableError
from runtime.registry.base64_bytes import WRITING, serializer_of, spell_out
from runtime.registry.core_schema import parts_of
from runtime.registry.iterators import find_iterator, read_out, speaks_of_iterators
from runtime.registry.json_validation import as_lists
from runtime.registry.schema_ownership import is_authors
from runtime.strict_json import DEEPEST

_BYTES = ConfigDict(val_json_bytes="base64", ser_json_bytes="base64")
_PLAIN = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = frozenset({dict, list, tuple})
_TEXTS = {str}
_SCALARS = {"str": str, "int": int, "float": float, "bool": bool, "none": type(None)}
_CHECKED_KINDS = frozenset({"literal", "typed-dict"})
_CHECKED_KEYS = frozenset(
    {
        *("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern"),
        *("max_digits", "decimal_places", "tz_constraint", "now_op"),
    }
)
_CHECK_THEMSELVES = frozenset({"model", "dataclass"})
_MOST_REPORTED = 5


class ReturnType:
    """The type of a result, or of an item.

    Attributes:
        adapter: pydantic's, of which the schema is published.
    """

    def __init__(self, adapter: TypeAdapter[Any]) -> None:
        self.adapter = adapter
        schema = as_lists(adapter.core_schema)
        self._serializer = SchemaSerializer(schema, WRITING, _use_prebuilt=False)
        self._validator = SchemaValidator(schema, {"val_json_bytes": "base64"}, _use_prebuilt=False)
        self._is_checked = _says_more_than_types(schema)
        self._iterates = speaks_of_iterators(adapter.core_schema)
        # What is of just this type is right; pydantic's own check takes longer than all the rest.
        is_plain_type = isinstance(schema, dict) and set(schema) <= {"type", "metadata"}
        self._sole = _SCALARS.get(schema["type"]) if is_plain_type else None

    def encode(self, value: object, name: str) -> bytes:
        """Return the JSON of a value that errors call `name`.

        Raises:
            ResultNotSerializableError: It is something else than the function says.
            PydanticSerializationError, ValueError, TypeError, RecursionError: It has no JSON form.
        """
        if type(value) is self._sole:
            return self._serializer.to_json(value, warnings=False)
        if self._iterates or isinstance(value, Iterator):
            value = read_out(value)
        try:
            data = self._serializer.to_json(value, by_alias=True, warnings="error")
        except PydanticSerializationError:
            if (place := find_iterator(value, name)) is not None:
                raise ResultNotSerializableError(
                    f"{place} gives its items only once: make it a list"
                ) from None
            return self._serializer.to_json(
                self._made_of(encode_any(value), name), by_alias=True, warnings=False
            )
        if self._is_checked:
            try:
                self._validator.validate_python(value, by_alias=True, by_name=True)
            except ValidationError as error:
                raise _mismatch(error, name) from None
        return data

    def check_bytes(self, value: bytes, name: str) -> None:
        """Pass if bytes are what the function says.

        Raises:
            ResultNotSerializableError: They are not.
        """
        try:
            self._validator.validate_python(value, strict=True)
        except ValidationError as error:
            raise _mismatch(error, name) from None

    def _made_of(self, text: bytes, name: str) -> object:
        try:
            return self._validator.validate_json(text, strict=True, by_alias=True, by_name=True)
        except ValidationError as error:
            raise _mismatch(error, name) from None


def return_type(annotation: Any) -> ReturnType:  # noqa: ANN401
    """Return what an annotation says of results."""
    if annotation is None:
        annotation = type(None)
    try:
        adapter = TypeAdapter(annotation, config=ConfigDict(**_BYTES, ser_json_inf_nan="constants"))
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        adapter = TypeAdapter(annotation)  # a model's own configuration holds
    if not isinstance(adapter.core_schema, dict):  # put off until it is first used
        adapter.rebuild()
    return ReturnType(adapter)


def encode_any(value: object) -> bytes:
    """Return the JSON of any value, bytes inside as base64, models as they write themselves.

    Raises:
        PydanticSerializationError, ValueError, TypeError, RecursionError: It has no JSON form.
    """
    serializer = serializer_of(type(value))
    if serializer is not None:
        return serializer.to_json(value, by_alias=True, warnings=False)
    return to_json(spell_out(value), by_alias=True, inf_nan_mode="constants")


def is_plain(value: object) -> bool:
    """Whether a value holds only what JSON has itself, under texts; looked at level by level."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind not in _CONTAINERS:
        return False
    level: list[Any] = [value]
    for _ in range(DEEPEST - 1):  # an item stands in a list
        below: list[Any] = []
        for container in level:
            parts = container
            if type(container) is dict:
                if container and set(map(type, container)) != _TEXTS:
                    return False
                parts = container.values()
            others = set(map(type, parts)) - _PLAIN
            if others:
                if not others <= _CONTAINERS:
                    return False
                below += [part for part in parts if type(part) in _CONTAINERS]
        if not below:
            return True
        level = below
    return False


def _says_more_than_types(schema: Any) -> bool:  # noqa: ANN401
    """Whether values of the right types may still be wrong; models have checked themselves."""
    if isinstance(schema, dict):
        kind = schema.get("type")
        if kind in _CHECK_THEMSELVES or is_authors(schema):
            return False
        if kind in _CHECKED_KINDS or not _CHECKED_KEYS.isdisjoint(schema):
            return True
    return any(map(_says_more_than_types, parts_of(schema)))


def _mismatch(error: ValidationError, name: str) -> ResultNotSerializableError:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    reported = dict.fromkeys(
        f"{name}{''.join(f'[{step!r}]' for step in fault['loc'])}: {fault['msg']}"
        for fault in found[:_MOST_REPORTED]
    )
    return ResultNotSerializableError(
        f"this is not what the function says it returns: {'; '.join(reported)}"
    )
