"""A plausible value for a schema, so that the reference page has something to send."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
_DEEPEST = 6
_BASE64 = "aGVsbG8="
_BY_FORMAT = {
    "date": "2026-11-22",
    "date-time": "2026-11-22T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT30S",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "uuid": "0192d3a0-7b1c-7def-8a55-0123456789ab",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}


def example_arguments(schema: Schema) -> dict[str, Any]:
    """Return an example of an argument object: what is required, and defaults as they are."""
    examples = schema.get("examples")
    if isinstance(examples, list) and examples and isinstance(examples[0], dict):
        return examples[0]
    value = example_of(schema, schema.get("$defs", {}))
    return value if isinstance(value, dict) else {}


def example_of(schema: object, definitions: Schema, depth: int = 0) -> Any:  # noqa: ANN401
    """Return a value that fits a schema as pydantic writes them, as far as one can guess."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    for word in ("examples", "enum"):
        if isinstance(schema.get(word), list) and schema[word]:
            return schema[word][0]
    if isinstance(schema.get("$ref"), str):
        name = schema["$ref"].rpartition("/")[2]
        return example_of(definitions.get(name), definitions, depth + 1)
    for word in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(word), list) and schema[word]:
            return example_of(schema[word][0], definitions, depth + 1)
    return _of_type(schema, definitions, depth)


def _of_type(schema: Schema, definitions: Schema, depth: int) -> Any:  # noqa: ANN401
    kind = schema.get("type")
    if kind == "object":
        required = schema.get("required", [])
        return {
            name: example_of(member, definitions, depth + 1)
            for name, member in schema.get("properties", {}).items()
            if name in required or (isinstance(member, dict) and member.get("default") is not None)
        }
    if kind == "array":
        item = schema.get("items", (schema.get("prefixItems") or [None])[0])
        return [example_of(item, definitions, depth + 1)] if item is not None else []
    if kind in ("integer", "number"):
        return _number(schema)
    if kind == "string":
        return _text(schema)
    return True if kind == "boolean" else None


def _number(schema: Schema) -> int | float:
    low = schema.get("minimum")
    if low is None and "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + 1
    if low is None:
        low = min(1, schema.get("maximum", 1))
    number: int | float = low
    return number


def _text(schema: Schema) -> str:
    if schema.get("contentEncoding", "").startswith("base64"):
        return _BASE64
    text = _BY_FORMAT.get(schema.get("format", ""), "text")
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", len(text) + 99)]
