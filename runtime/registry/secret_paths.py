"""Find the secrets in a function's arguments, and mask them.

A place is a tuple of the names on the path to a secret; None stands for any name or index. The
places are found once, from the schemas of a loaded function. They are stored with each invocation,
so that its secrets stay masked whatever version is published later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

Place = tuple[str | None, ...]
MASK = "**********"
_decode_places = msgspec.json.Decoder(tuple[tuple[str | None, ...], ...]).decode
# Numbers with a point or an exponent keep their digits.
_decode = msgspec.json.Decoder(float_hook=lambda digits: msgspec.Raw(digits.encode())).decode
_BRANCHES = ("anyOf", "oneOf", "allOf")
_CONDITIONS = ("if", "then", "else")


def find_secrets(*schemas: Mapping[str, Any]) -> tuple[Place, ...]:
    """Return the places that any of these JSON Schemas marks `writeOnly` or `password`."""
    found: dict[Place, None] = {}
    for schema in schemas:
        found |= dict.fromkeys(_places(schema, schema.get("$defs", {}), (), ()))
    return tuple(place for place in found if not any(place[:n] in found for n in range(len(place))))


def encode_paths(places: Iterable[Place]) -> bytes:
    """Return places as they are stored with an invocation; empty if there are none."""
    found = tuple(places)
    return msgspec.json.encode(found) if found else b""


def mask(arguments: bytes, places: bytes) -> bytes:
    """Return the arguments with the values at these places masked.

    Args:
        arguments: A JSON object.
        places: As `encode_paths` returned them.
    """
    if not places:
        return arguments
    value = _decode(arguments)
    for place in _decode_places(places):
        value = _masked(value, place)
    return msgspec.json.encode(value)


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


def _masked(value: Any, place: Place) -> Any:  # noqa: ANN401 - any JSON value
    if not place:
        return value if value is None else MASK
    name, further = place[0], place[1:]
    if isinstance(value, dict):
        return {
            key: _masked(part, further) if name in (None, key) else part
            for key, part in value.items()
        }
    if isinstance(value, list) and name is None:
        return [_masked(part, further) for part in value]
    return value
