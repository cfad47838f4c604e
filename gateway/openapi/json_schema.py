"""Small schemas and helpers that the schemas of the document are built from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
MAYBE_TEXT: Json = {"type": ["string", "null"]}
COUNT: Json = {"type": "integer", "minimum": 0}
MAYBE_COUNT: Json = {"type": ["integer", "null"], "minimum": 0}
MEASURE: Json = {"type": "number", "minimum": 0}
MOMENT: Json = {"type": "string", "format": "date-time"}
# Without `additionalProperties`, some generators make a type that allows no members.
ANY_OBJECT: Json = {"type": "object", "additionalProperties": True}
# Without a `type`, generators allow any value and write code that fails when it runs.
BINARY: Json = {"type": "string", "format": "binary"}
MAYBE_MOMENT: Json = {"type": ["string", "null"], "format": "date-time"}
LINKS: Json = {
    "type": "object",
    "additionalProperties": TEXT,
    "description": "Paths of related resources, by name.",
}
NEXT: Json = {
    **MAYBE_TEXT,
    "description": "The `cursor` of the next page; null on the last page.",
}


def described(schema: Json, description: str) -> Json:
    """Return the schema with a description."""
    return {**schema, "description": description}


def maybe(schema: Json) -> Json:
    """Return a schema that also allows null."""
    return {"anyOf": [schema, {"type": "null"}]}


def array_of(item: Json) -> Json:
    """Return the schema of an array of such items."""
    return {"type": "array", "items": item}


def flag(description: str) -> Json:
    """Return the schema of a boolean."""
    return {"type": "boolean", "description": description}


def choice(values: Iterable[str], description: str) -> Json:
    """Return the schema of a text that is one of these."""
    return {"type": "string", "enum": list(values), "description": description}


def object_of(required: list[str] | None = None, /, **members: Json) -> Json:
    """Return an object schema with these members; by default all of them are required."""
    return {
        "type": "object",
        "properties": members,
        "required": list(members) if required is None else required,
    }


def component(description: str, required: list[str] | None = None, /, **members: Json) -> Json:
    """Return an object schema as `object_of` does, with a description before it."""
    return {"description": description, **object_of(required, **members)}


def closed(schema: Json) -> Json:
    """Return an object schema that allows no other members."""
    return {**schema, "additionalProperties": False}


def list_of(item: Json) -> Json:
    """Return the schema of one page of a list."""
    return object_of(items=described(array_of(item), "The items of this page."), next=NEXT)


_DEFS = "#/$defs/"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def component_ref(name: str) -> Json:
    """Return a reference to a schema in the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def relocate(schema: Json, prefix: str) -> tuple[Json, dict[str, Json]]:
    """Return the schema without `$defs`, and its definitions as components.

    Args:
        schema: A JSON Schema whose references point into its own `$defs`.
        prefix: The beginning of the names of the components.
    """
    definitions = schema.get("$defs", {})
    names = {name: f"{prefix}-{_UNSAFE.sub('_', name)}" for name in definitions}
    body = {key: value for key, value in schema.items() if key != "$defs"}
    components = {names[name]: _moved(value, names) for name, value in definitions.items()}
    return _moved(body, names), components


def _moved(value: Any, names: dict[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return [_moved(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    moved = {key: _moved(member, names) for key, member in value.items()}
    reference = value.get("$ref")
    if isinstance(reference, str) and reference.startswith(_DEFS):
        name, slash, rest = reference.removeprefix(_DEFS).partition("/")
        moved["$ref"] = component_ref(names.get(name, name))["$ref"] + slash + rest
    mapping = value.get("discriminator")
    if isinstance(mapping, dict) and isinstance(mapping.get("mapping"), dict):
        moved["discriminator"] = {
            **mapping,
            "mapping": {
                key: component_ref(names[target.removeprefix(_DEFS)])["$ref"]
                if isinstance(target, str) and target.removeprefix(_DEFS) in names
                else target
                for key, target in mapping["mapping"].items()
            },
        }
    return moved
