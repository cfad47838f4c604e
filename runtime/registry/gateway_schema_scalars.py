"""The gateway's schemas for single values: texts, numbers, URLs, literals and enumerations.

Part of `runtime.registry.gateway_schema`, which says why they are wider than the published ones.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from runtime.registry.formats import LEAST_BYTES, MOST_BYTES
from runtime.registry.schema_writer import BASE64, SchemaWriter, in_any_case

_EXACT_FLOAT = 2.0**53
_SCALARS = (str, int, float, type(None))
# Patterns whose meaning may differ between the two engines: character classes and boundaries
# beyond ASCII, flags, and set operations.
_OTHER_DIALECT = re.compile(r"\\[A-Za-z0-9]|\(\?(?!:)|\[\[|\[:|&&|--|~~")
_UNSEEN = "[\\t\\n\\r]*"


class GatewayScalarWriter(SchemaWriter):
    """Generates schemas of single values."""

    def str_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Check lengths and patterns only if pydantic checks them on the text as it was sent."""
        config = self._config
        if schema.get("coerce_numbers_to_str", config.coerce_numbers_to_str):
            return {}
        made = super().str_schema(schema)
        engine = schema.get("regex_engine", config.regex_engine)
        pattern = schema.get("pattern")
        if not isinstance(pattern, str) or engine != "rust-regex" or _OTHER_DIALECT.search(pattern):
            made.pop("pattern", None)
        if any(
            schema.get(name, getattr(config, f"str_{name}"))
            for name in ("strip_whitespace", "to_lower", "to_upper")
        ):
            made.pop("pattern", None)
            made.pop("maxLength", None)
        return made

    def bytes_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Check lengths in bytes, not in characters of base64."""
        made = super().bytes_schema(schema)
        for name in ("minLength", "maxLength"):
            made.pop(name, None)
        if made.get("contentEncoding") != BASE64:
            return {"type": "string"}
        for name, word in (("min_length", LEAST_BYTES), ("max_length", MOST_BYTES)):
            if schema.get(name) is not None:
                made[word] = schema[name]
        return made

    def float_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Leave out `multipleOf` and limits that a binary float cannot represent exactly."""
        made = super().float_schema(schema)
        made.pop("multipleOf", None)
        return {
            name: value
            for name, value in made.items()
            if isinstance(value, str) or abs(value) < _EXACT_FLOAT
        }

    def decimal_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Leave out the limits: only the runner reads all digits."""
        text: JsonSchemaValue = {"type": "string"}
        if not schema.get("allow_inf_nan"):
            text["format"] = "decimal"
        return {"anyOf": [{"type": "number"}, text]}

    def literal_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Accept what equals one of the values."""
        return _equal_to(
            [value.value if isinstance(value, Enum) else value for value in schema["expected"]]
        )

    def enum_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Accept what equals one of the values; anything if the class may accept other values."""
        if _knows_others(schema["cls"]):
            return {}
        return _equal_to([member.value for member in schema["members"]])

    def url_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Check the scheme only: the runner removes some characters before it checks the length."""
        made: JsonSchemaValue = {"type": "string", "format": "uri"}
        if schemes := schema.get("allowed_schemes"):
            spaced = (_UNSEEN.join(in_any_case(scheme)) for scheme in schemes)
            made["pattern"] = f"^[\\x00-\\x20]*(?:{'|'.join(spaced)}){_UNSEEN}:"
        return made

    def multi_host_url_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Accept any text; the runner parses the address."""
        del schema
        return {"type": "string"}


def _equal_to(values: list[Any]) -> JsonSchemaValue:
    """Return a schema for JSON values equal to one of `values`; if one is no scalar, for any.

    pydantic compares as Python does: 1, 1.0 and true are equal.
    """
    if any(type(value) is not bool and not isinstance(value, _SCALARS) for value in values):
        return {}
    plain = [
        value if type(value) is bool or value is None else _plain_of(value) for value in values
    ]
    for value in (0, 1):
        if any(not isinstance(one, str) and one == value for one in plain):
            plain += [value, bool(value)]
    unique = {(type(one) is bool, str(one) if isinstance(one, str) else one): one for one in plain}
    made: JsonSchemaValue = {"enum": list(unique.values())}
    if len(unique) == 1:
        made = {"const": made["enum"][0]}
    return made | ({"type": "string"} if all(isinstance(one, str) for one in plain) else {})


def _knows_others(kind: type[Enum]) -> bool:
    """Whether an enumeration also finds members by values other than their own."""
    if _function_behind(kind._missing_) is not _function_behind(Enum._missing_):
        return True
    return len(kind._value2member_map_) > len(kind)


def _plain_of(value: str | float) -> str | float:
    for kind in (str, int):
        if isinstance(value, kind):
            return kind(value)
    return float(value)


def _function_behind(method: object) -> object:
    return getattr(method, "__func__", method)
