"""What the gateway judges of single values: texts, numbers, addresses, and values of a list.

A part of `runtime.registry.gateway_schema`, which says why this is less than what is published.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from runtime.registry.equal_values import equal_to, knows_others
from runtime.registry.formats import LEAST_BYTES, MOST_BYTES
from runtime.registry.json_schema import BASE64, SchemaWriter, in_any_case

_EXACT_FLOAT = 2.0**53
# Classes and boundaries mean something else beyond ASCII; flags and operations on sets may.
_OTHER_DIALECT = re.compile(r"\\[A-Za-z0-9]|\(\?(?!:)|\[\[|\[:|&&|--|~~")
_UNSEEN = "[\\t\\n\\r]*"


class GatewayScalarWriter(SchemaWriter):
    """Writes schemas of single values."""

    def str_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Judge lengths and patterns only where they are judged on the text as it was sent."""
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
        """Judge lengths in bytes, not in characters of base64."""
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
        """Leave out what is reckoned otherwise than in binary floating point."""
        made = super().float_schema(schema)
        made.pop("multipleOf", None)
        return {
            name: value
            for name, value in made.items()
            if isinstance(value, str) or abs(value) < _EXACT_FLOAT
        }

    def decimal_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Leave limits to who sees all digits."""
        text: JsonSchemaValue = {"type": "string"}
        if not schema.get("allow_inf_nan"):
            text["format"] = "decimal"
        return {"anyOf": [{"type": "number"}, text]}

    def literal_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Take what equals one of the values."""
        return equal_to(
            [value.value if isinstance(value, Enum) else value for value in schema["expected"]]
        )

    def enum_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Take what equals one of the values, unless the class itself knows others."""
        if knows_others(schema["cls"]):
            return {}
        return equal_to([member.value for member in schema["members"]])

    def url_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Leave the length to who has read the address, in which some characters do not count."""
        made: JsonSchemaValue = {"type": "string", "format": "uri"}
        if schemes := schema.get("allowed_schemes"):
            spaced = (_UNSEEN.join(in_any_case(scheme)) for scheme in schemes)
            made["pattern"] = f"^[\\x00-\\x20]*(?:{'|'.join(spaced)}){_UNSEEN}:"
        return made

    def multi_host_url_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Leave it to who has read the address."""
        del schema
        return {"type": "string"}
