"""Find the secrets in a function's arguments; `secret_masking` masks them.

A place is a tuple of the names on the path to a secret; None stands for any name or index. The
places are found once, from the schemas of a loaded function. They are stored with each invocation,
so that its secrets stay masked whatever version is published later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Place = tuple[str | None, ...]
_BRANCHES = ("anyOf", "oneOf", "allOf")
_CONDITIONS = ("if", "then", "else")


def find_secrets(*schemas: Mapping[str, Any]) -> tuple[Place, ...]:
    """Return the places that any of these JSON Schemas marks `writeOnly` or `password`."""
    found: dict[Place, None] = {}
    for schema in schemas:
        found |= dict.fromkeys(_places(schema, schema.get("$defs", {}), (), ()))
    return tuple(place for place in found if not any(place[:n] in found for n in range(len(place))))


def _places(
    schema: object, definitions: Mapping[str, Any], here: Place, above: tuple[str, ...]
) -> Iterable[Place]:
    if not isinstance(schema, Mapping):
        return
    if schema.get("writeOnly") is True or schema.get("format") == "password":
        yield here
        return
    if isinstance(schema.get("$ref"), str):
        yield from _behind(schema["$ref"], definitions, here, above)
    for step, part in _parts(schema):
        yield from _places(part, definitions, (*here, *step), above)
    if any(True for _ in _places(schema.get("contentSchema"), definitions, (), above)):
        yield here  # a text that contains JSON: it is masked as a whole


def _behind(
    reference: str, definitions: Mapping[str, Any], here: Place, above: tuple[str, ...]
) -> Iterable[Place]:
    name = reference.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    times, target = above.count(name), definitions.get(name)
    if times == 0:
        yield from _places(target, definitions, here, (*above, name))
    elif times == 1 and any(True for _ in _places(target, definitions, (), (*above, name))):
        yield here  # a recursive schema has endless places: mask the value as a whole


def _parts(schema: Mapping[str, Any]) -> Iterable[tuple[Place, Any]]:
    """Yield the schemas within a schema, each with the step of the path that leads to it."""
    for name, part in schema.get("properties", {}).items():
        yield (name,), part
    for part in (*schema.get("patternProperties", {}).values(), *schema.get("prefixItems", ())):
        yield (None,), part
    for key in ("items", "additionalProperties", "unevaluatedProperties"):
        yield (None,), schema.get(key)
    for key in _BRANCHES:
        for part in schema.get(key, ()):
            yield (), part
    for key in _CONDITIONS:
        yield (), schema.get(key)
