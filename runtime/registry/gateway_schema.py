"""Generate the JSON Schema that the gateway validates arguments with.

The rule: it accepts everything that the validator in the runner accepts. The schema that pydantic
publishes may be narrower than its validator, wherever other code runs before or beside it: aliases
by path, validators of mode "before", "wrap" and "plain", patterns in another dialect, `_missing_`
of an enumeration, keys that are not plain strings, a schema written by hand. In these places this
generator writes a wider schema, or an empty one, and the runner checks the value. What the runner
refuses becomes `arguments_invalid` too (`runtime.registry.validation_errors`).

A kind of core schema that is not listed in `_KNOWN` gets an empty schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticOmit

from runtime.registry.gateway_schema_scalars import GatewayScalarWriter
from runtime.registry.schema_ownership import (
    holds_secret,
    is_authors,
    is_secret,
    without_hand_written,
)

_SECRET: JsonSchemaValue = {"writeOnly": True}
_ANY_DIGIT = {"pattern": r"\p{Nd}"}
_KNOWN = frozenset(
    {
        *("any", "none", "bool", "int", "float", "decimal", "str", "bytes", "date", "time"),
        *("datetime", "timedelta", "literal", "enum", "uuid", "url", "multi-host-url", "json"),
        *("list", "tuple", "set", "frozenset", "generator", "dict", "nullable", "union"),
        *("tagged-union", "default", "chain", "lax-or-strict", "json-or-python", "custom-error"),
        *("function-after", "function-before", "function-wrap", "function-plain"),
        *("model", "model-fields", "model-field", "typed-dict", "typed-dict-field"),
        *("dataclass", "dataclass-args", "dataclass-field", "definitions", "definition-ref"),
    }
)


class GatewaySchemaWriter(GatewayScalarWriter):
    """Generates the gateway's schema; for mode "validation" only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - pydantic's signature
        super().__init__(*args, **kwargs)
        self._extras: list[str | None] = [None]
        self._defined: dict[str, Any] = {}

    def generate_inner(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Write an empty schema for values that an author's code sees before pydantic does."""
        kind = schema["type"]
        if kind not in _KNOWN or is_authors(schema):
            said = self._nothing(schema)
            if "ref" not in schema:
                return said
            # Other parts may refer to it, so it must become a definition.
            metadata = {"pydantic_js_updates": said}
            return super().generate_inner(
                {"type": "any", "ref": schema["ref"], "metadata": metadata}
            )
        if kind == "any":  # pydantic accepts any value, whatever schema the metadata publishes
            schema = {key: part for key, part in schema.items() if key != "metadata"}
        made = super().generate_inner(without_hand_written(schema))
        return {**made, **_SECRET} if is_secret(schema) else made

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:  # noqa: ANN401
        """Write an empty schema where pydantic cannot write one."""
        del error_info
        return self._nothing(schema)

    def definitions_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Record the definitions, so that secrets behind references are found."""
        self._defined |= {definition["ref"]: definition for definition in schema["definitions"]}
        return super().definitions_schema(schema)

    def set_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Allow duplicates, which the validator removes."""
        made = super().set_schema(schema)
        made.pop("uniqueItems", None)
        made.pop("maxItems", None)
        return made

    frozenset_schema = set_schema

    def tuple_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Allow any items where a default may replace one."""
        if any(item["type"] == "default" for item in schema["items_schema"]):
            return {"type": "array"}
        return super().tuple_schema(schema)

    def dict_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Check the values; check keys and their number only if keys stay as they were sent."""
        made: JsonSchemaValue = {"type": "object"}
        if "values_schema" in schema:
            made["additionalProperties"] = self.generate_inner(schema["values_schema"])
        keys = schema.get("keys_schema", {"type": "str"})
        if keys["type"] == "int":
            made["propertyNames"] = _ANY_DIGIT  # the runner checks the rest
        elif keys["type"] == "str" and "ref" not in keys:
            names = self.generate_inner(keys)
            if names != {"type": "string"}:
                made["propertyNames"] = names
        if keys["type"] in {"str", "any"} and not keys.get("strip_whitespace"):
            self.update_with_validations(made, schema, self.ValidationsMapping.object)
        return made

    def default_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Write an empty schema where a default replaces a value that does not fit."""
        if schema.get("on_error", "raise") != "raise":
            return self._nothing(schema)
        return self.generate_inner(schema["schema"])

    def lax_or_strict_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Use the strict branch: arguments are read in strict mode."""
        return self.generate_inner(schema["strict_schema"])

    def tagged_union_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Check with the branch that the tag names, or with all if a callable chooses one."""
        branches = {
            tag: self.generate_inner(choice)
            for tag, choice in schema["choices"].items()
            if isinstance(choice, Mapping)
        }
        name = _tag_name(schema["discriminator"])
        is_whole = len(branches) == len(schema["choices"])
        if name is None or not is_whole or any(type(tag) is not str for tag in branches):
            return {"anyOf": list(branches.values())} if is_whole else self._nothing(schema)
        tagged: JsonSchemaValue = {
            "type": "object",
            "required": [name],
            "properties": {name: {"enum": list(branches)}},
        }
        return {
            "allOf": [
                tagged,
                *(
                    {
                        "if": {**tagged, "properties": {name: {"enum": [tag]}}},
                        "then": branch,
                    }
                    for tag, branch in branches.items()
                ),
            ]
        }

    def model_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Write an empty schema for a model with an `__init__` of its own."""
        if schema.get("custom_init"):
            return self._nothing(schema)
        with self._config_wrapper_stack.push(schema["cls"].model_config):
            return self._with_extras(schema)

    def dataclass_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Check the fields of a dataclass."""
        with self._config_wrapper_stack.push(getattr(schema["cls"], "__pydantic_config__", None)):
            return self._with_extras(schema)

    def model_fields_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Check the fields of a model."""
        return self._object(schema, schema["fields"].items(), self._extras[-1])

    def dataclass_args_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Check the fields of a dataclass that its `__init__` takes."""
        fields = [(f["name"], f) for f in schema["fields"] if f.get("init", True)]
        return self._object(schema, fields, self._extras[-1])

    def typed_dict_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        """Check the members of a typed dictionary."""
        config = getattr(schema.get("cls"), "__pydantic_config__", None)
        with self._config_wrapper_stack.push(config):
            extras = schema.get("config", {}).get("extra_fields_behavior")
            return self._object(schema, schema["fields"].items(), extras)

    def _with_extras(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        self._extras.append(schema.get("config", {}).get("extra_fields_behavior"))
        try:
            return self.generate_inner(schema["schema"])
        finally:
            self._extras.pop()

    def _object(
        self,
        schema: Any,  # noqa: ANN401
        fields: Iterable[tuple[str, Any]],
        extras: str | None,
    ) -> JsonSchemaValue:
        """Check members by name.

        A member that can be given by several names or by a path is not checked, and other members
        are allowed then.
        """
        made: JsonSchemaValue = {"type": "object"}
        properties: dict[str, JsonSchemaValue] = {}
        required = []
        is_open = False
        total = schema.get("total", True)
        for name, field in fields:
            alias = field.get("validation_alias", name)
            if not isinstance(alias, str) or (alias != name and self._reads_names()):
                is_open = True
                if holds_secret(field["schema"], self._defined):
                    made |= _SECRET
                continue
            try:
                properties[alias] = self.generate_inner(field["schema"])
            except PydanticOmit:
                continue
            if self.field_is_required(field, total):
                required.append(alias)
        made["properties"] = properties
        if required:
            made["required"] = required
        extras = schema.get("extra_behavior") or extras
        if extras == "forbid" and not is_open:
            made["additionalProperties"] = False
        elif extras == "allow" and not is_open and "extras_schema" in schema:
            made["additionalProperties"] = self.generate_inner(schema["extras_schema"])
        return made

    def _reads_names(self) -> bool:
        config = self._config.config_dict
        return bool(
            config.get("populate_by_name")
            or config.get("validate_by_name")
            or config.get("validate_by_alias") is False
        )

    def _nothing(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401
        return dict(_SECRET) if holds_secret(schema, self._defined) else {}


def _tag_name(discriminator: object) -> str | None:
    """Return the name of the one member that holds the tag, None if it is not that simple."""
    while isinstance(discriminator, list) and len(discriminator) == 1:
        discriminator = discriminator[0]
    return discriminator if isinstance(discriminator, str) else None
