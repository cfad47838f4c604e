"""Make an example value that fits a JSON Schema, so that people can send it unchanged.

The OpenAPI document and the greeting of `up` use it, so it needs the standard library only. An
example given by the author comes first; otherwise a value is made that respects formats, patterns,
enums and bounds as far as possible without a validator.
"""

from __future__ import annotations

import math
from typing import Any

from gateway.openapi.pattern_examples import is_found_in, text_like

Schema = dict[str, Any]
_DEEPEST = 6
_MOST_PARTS = 100
_LONGEST_TEXT = 1_000
_BASE64 = "aGVsbG8="
_BY_FORMAT = {
    "date": "2026-11-22",
    "date-time": "2026-11-22T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT30S",
    "email": "ada@example.com",
    "idn-email": "ada@example.com",
    "hostname": "example.com",
    "uri": "https://example.com/",
    "uri-reference": "/example",
    "iri": "https://example.com/",
    "multi-host-uri": "postgres://example.com/app",
    "uuid": "0192d3a0-7b1c-7def-8a55-0123456789ab",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "ipvanyaddress": "192.0.2.1",
    "ipvanynetwork": "192.0.2.0/24",
    "ipvanyinterface": "192.0.2.1/24",
    "ipv4network": "192.0.2.0/24",
    "ipv6network": "2001:db8::/32",
    "ipv4interface": "192.0.2.1/24",
    "ipv6interface": "2001:db8::1/32",
    "json-string": "{}",
    "json-pointer": "/a",
    "regex": "^a+$",
    "byte": _BASE64,
    "base64url": _BASE64,
    "binary": _BASE64,
}


def example_arguments(schema: Schema) -> dict[str, Any]:
    """Return an example argument object, with the required members and those with defaults."""
    examples = schema.get("examples")
    if isinstance(examples, list) and examples and isinstance(examples[0], dict):
        return examples[0]
    value = example_of(schema, schema.get("$defs", {}))
    return value if isinstance(value, dict) else {}


def example_of(schema: object, definitions: Schema, depth: int = 0) -> Any:  # noqa: ANN401
    """Return a value that should fit a schema written by pydantic; None if there is none."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    for word in ("const", "examples", "default", "enum"):
        if word in ("const", "default") and word in schema:
            return schema[word]
        if isinstance(schema.get(word), list) and schema[word]:
            return schema[word][0]
    if isinstance(schema.get("$ref"), str):
        name = schema["$ref"].rpartition("/")[2]
        return example_of(definitions.get(name), definitions, depth + 1)
    return _of_shape(schema, definitions, depth)


def _of_shape(schema: Schema, definitions: Schema, depth: int) -> Any:  # noqa: ANN401
    for word in ("anyOf", "oneOf"):
        if isinstance(schema.get(word), list) and schema[word]:
            return _of_branches(schema, word, definitions, depth)
    if isinstance(schema.get("allOf"), list) and schema["allOf"]:
        merged: Schema = {k: v for k, v in schema.items() if k != "allOf"}
        for part in schema["allOf"]:
            merged = {**(part if isinstance(part, dict) else {}), **merged}
        return example_of(merged, definitions, depth + 1)
    return _of_type(schema, definitions, depth)


def _of_branches(schema: Schema, word: str, definitions: Schema, depth: int) -> Any:  # noqa: ANN401
    """Return an example of the first branch that has one within the depth limit."""
    branches = [branch for branch in schema[word] if branch != {"type": "null"}]
    for branch in branches:
        value = example_of(branch, definitions, depth + 1)
        if value is not None:
            return value
    return None


def _of_type(schema: Schema, definitions: Schema, depth: int) -> Any:  # noqa: ANN401
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), None)
    if kind == "object":
        return _object(schema, definitions, depth)
    if kind == "array":
        return _array(schema, definitions, depth)
    if kind in ("integer", "number"):
        return _number(schema, is_whole=kind == "integer")
    if kind == "string":
        return _text(schema)
    if kind is None:
        return "text" if schema.get("type") is None else None
    return True if kind == "boolean" else None


def _object(schema: Schema, definitions: Schema, depth: int) -> dict[str, Any]:
    required = schema.get("required", [])
    value = {
        name: example_of(member, definitions, depth + 1)
        for name, member in schema.get("properties", {}).items()
        if name in required or (isinstance(member, dict) and member.get("default") is not None)
    }
    more = schema.get("additionalProperties")
    patterns = schema.get("patternProperties")
    if isinstance(patterns, dict) and patterns:
        pattern, more = next(iter(patterns.items()))
        names: Schema = {"type": "string", "pattern": pattern}
    else:
        names = schema.get("propertyNames") or {"type": "string"}
    for number in range(min(schema.get("minProperties", 0), _MOST_PARTS) - len(value)):
        name = str(example_of(names, definitions, depth + 1))
        member = more if isinstance(more, dict) else {}
        value[name if name not in value else f"{name}{number}"] = example_of(
            member, definitions, depth + 1
        )
    return value


def _array(schema: Schema, definitions: Schema, depth: int) -> list[Any]:
    fixed = [example_of(item, definitions, depth + 1) for item in schema.get("prefixItems") or []]
    if fixed or schema.get("maxItems") == 0:
        return fixed
    item = schema.get("items")
    if not isinstance(item, dict) or depth >= _DEEPEST - 1:
        return []
    count = min(max(1, schema.get("minItems", 1)), _MOST_PARTS)
    if schema.get("uniqueItems"):
        return _different(item, definitions, depth, count)
    return [example_of(item, definitions, depth + 1)] * count


def _different(item: Schema, definitions: Schema, depth: int, count: int) -> list[Any]:
    enum = item.get("enum") or (
        definitions.get(str(item.get("$ref")).rpartition("/")[2]) or {}
    ).get("enum")
    if isinstance(enum, list):
        return enum[:count]
    first = example_of(item, definitions, depth + 1)
    if isinstance(first, int | float) and not isinstance(first, bool):
        step = item.get("multipleOf", 1)
        return [first + number * step for number in range(count)]
    if isinstance(first, str):
        return [first, *(f"{first}{number}" for number in range(2, count + 1))]
    return [first]


def _number(schema: Schema, *, is_whole: bool) -> int | float:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    step = schema.get("multipleOf") or (1 if is_whole else None)
    floor = max((bound for bound in (low, above) if bound is not None), default=None)
    ceiling = min((bound for bound in (high, below) if bound is not None), default=None)
    start = 1 if floor is None and ceiling is None else floor
    if start is None:
        start = min(1, ceiling if ceiling is not None else 1)
    if floor is not None and ceiling is not None and not step:
        return _plain((floor + ceiling) / 2)
    if step:
        number = math.ceil(start / step) * step
        if number == above:
            number += step
        while ceiling is not None and (number > ceiling or number == below):
            number -= step
        return _plain(number)
    if start == above:
        return _plain(start + 1)
    return _plain(start - 1 if start == below else start)


def _plain(number: float) -> int | float:
    whole = int(number)
    return whole if whole == number else round(number, 9)


def _text(schema: Schema) -> str:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    if schema.get("contentEncoding", "").startswith("base64"):
        return _BASE64
    known = _BY_FORMAT.get(schema.get("format", "").replace("ipv-any-", "ipvany"))
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not (known is not None and is_found_in(pattern, known)):
        made = text_like(pattern, shortest=shortest, longest=longest)
        if made is not None:
            return made
    if known is not None:
        return known
    text = "text".ljust(min(shortest, _LONGEST_TEXT), "x")
    return text if longest is None else text[:longest]
