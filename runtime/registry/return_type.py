"""Serialise and check results against the declared return type; prepared when the file loads.

pydantic's serializer knows the declared types, so a correct value takes one pass. If the value has
another type, it is converted by way of its JSON: a dict becomes the declared model, a tuple the
declared list. A value that does not fit then either is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from runtime.errors import ResultNotSerializableError
from runtime.json_shape import DEEPEST
from runtime.registry.base64_bytes import WRITING, serializer_of, spell_out
from runtime.registry.core_schema import parts_of
from runtime.registry.core_schemas import BOTH_NAMES, make_serializer, make_validator
from runtime.registry.iterators import find_iterator, read_out, speaks_of_iterators
from runtime.registry.json_validation import as_lists
from runtime.registry.schema_ownership import is_authors

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
    """The declared type of a result, or of a generator's items.

    Attributes:
        adapter: The pydantic adapter from which the published schema is generated.
    """

    def __init__(self, adapter: TypeAdapter[Any]) -> None:
        self.adapter = adapter
        schema = as_lists(adapter.core_schema)
        self._serializer = make_serializer(schema, WRITING)
        self._validator = make_validator(schema, {"val_json_bytes": "base64"})
        self._is_checked = _says_more_than_types(schema)
        self._iterates = speaks_of_iterators(adapter.core_schema)
        # A value of exactly this type needs no check, and the check takes longer than the rest.
        is_plain_type = isinstance(schema, dict) and set(schema) <= {"type", "metadata"}
        self._sole = _SCALARS.get(schema["type"]) if is_plain_type else None

    def encode(self, value: object, name: str) -> bytes:
        """Return a value as JSON.

        Args:
            value: The value.
            name: What errors call the value.

        Raises:
            ResultNotSerializableError: The value does not have the declared type.
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
                    f"{place} is an iterator, which gives its items only once; return a list"
                ) from None
            return self._serializer.to_json(
                self._made_of(encode_any(value), name), by_alias=True, warnings=False
            )
        if self._is_checked:
            try:
                self._validator.validate_python(value, **BOTH_NAMES)
            except ValidationError as error:
                raise _mismatch(error, name) from None
        return data

    def check_bytes(self, value: bytes, name: str) -> None:
        """Check bytes against the declared type.

        Raises:
            ResultNotSerializableError: They do not have the declared type.
        """
        try:
            self._validator.validate_python(value, strict=True)
        except ValidationError as error:
            raise _mismatch(error, name) from None

    def _made_of(self, text: bytes, name: str) -> object:
        try:
            return self._validator.validate_json(text, strict=True, **BOTH_NAMES)
        except ValidationError as error:
            raise _mismatch(error, name) from None


def return_type(annotation: Any) -> ReturnType:  # noqa: ANN401
    """Return the return type that an annotation declares.

    Raises:
        PydanticUserError: pydantic cannot use the annotation.
    """
    if annotation is None:
        annotation = type(None)
    try:
        adapter = TypeAdapter(annotation, config=ConfigDict(**_BYTES, ser_json_inf_nan="constants"))
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        adapter = TypeAdapter(annotation)  # a model uses its own configuration
    if not isinstance(adapter.core_schema, dict):  # its building was deferred until the first use
        adapter.rebuild()
    return ReturnType(adapter)


def encode_any(value: object) -> bytes:
    """Return any value as JSON, with bytes as base64 and models in their own form.

    Raises:
        PydanticSerializationError, ValueError, TypeError, RecursionError: It has no JSON form.
    """
    serializer = serializer_of(type(value))
    if serializer is not None:
        return serializer.to_json(value, by_alias=True, warnings=False)
    return to_json(spell_out(value), by_alias=True, inf_nan_mode="constants")


def is_plain(value: object) -> bool:
    """Whether a value has only plain JSON types, with strings as keys; searched level by level."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind not in _CONTAINERS:
        return False
    level: list[Any] = [value]
    for _ in range(DEEPEST - 1):  # one less, as an item of a generator will be inside a list
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
    """Whether a schema has constraints beyond types; models have validated themselves already."""
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
        f"the result is not of the declared return type: {'; '.join(reported)}"
    )
