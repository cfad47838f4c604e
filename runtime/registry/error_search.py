"""Find a few small parts of a large value that do not fit its schema.

`jsonschema_rs` validates a megabyte in a few milliseconds, but needs seconds to list all its
errors, because it makes an object for each. That would block the process's other requests. So a
large value is narrowed, by validating its parts, to a few small parts that do not fit, and only
their errors are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from jsonschema_rs import Draft202012Validator

Path = tuple[str | int, ...]
_MOST_PIECES = 5
_DEEPEST = 64
_MOST_NAMES = 50
_LEAST_PARTS = 20
_PARTS_TIMES_KEYWORDS = 10_000
_OF_PARTS = frozenset(
    {
        *("properties", "patternProperties", "additionalProperties", "required", "items"),
        *("prefixItems", "anyOf", "oneOf", "allOf", "$ref", "$defs", "propertyNames", "contains"),
        *("if", "then", "else", "not", "dependentSchemas", "unevaluatedProperties"),
        *("unevaluatedItems", "uniqueItems"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A small part of a value that does not fit its schema.

    Attributes:
        path: Where the part is in the whole value.
        schema: The schema that it does not fit.
        value: The part. If members are missing, an empty object; if members are unknown, an object
            with only a few of them.
    """

    path: Path
    schema: dict[str, Any]
    value: object


def is_large(value: object, schema: object) -> bool:
    """Whether listing all errors might take long, by the product of parts and keywords."""
    most = max(_LEAST_PARTS, _PARTS_TIMES_KEYWORDS // max(count_parts(schema, most=10_000), 1))
    return count_parts(value, most=most) > most


def find_pieces(
    schema: dict[str, Any],
    value: object,
    compile_schema: Callable[[dict[str, Any]], Draft202012Validator],
) -> list[Piece]:
    """Return a few small parts that do not fit; none if the value cannot be narrowed.

    Args:
        schema: The schema of the whole value, with the definitions that it refers to.
        value: A value that does not fit it.
        compile_schema: Compiles a schema.
    """
    return list(_Search(root=schema, compile_schema=compile_schema).narrow((), schema, value))


@dataclass(slots=True, kw_only=True)
class _Search:
    root: dict[str, Any]
    compile_schema: Callable[[dict[str, Any]], Draft202012Validator]
    _found: int = 0
    _schemas: dict[int, Draft202012Validator] = field(default_factory=dict)
    _kept: list[dict[str, Any]] = field(default_factory=list)

    def narrow(self, path: Path, schema: dict[str, Any], value: object) -> Iterator[Piece]:
        """Yield small parts that do not fit, of a value that does not fit."""
        if self._found >= _MOST_PIECES:
            return
        schema = self._resolved(schema)
        if len(path) >= _DEEPEST or not is_large(value, self.root):
            self._found += 1
            yield Piece(path=path, schema=self._whole(schema), value=value)
            return
        own = {key: rule for key, rule in schema.items() if key not in _OF_PARTS}
        if not self._fits(own, value):
            self._found += 1
            yield Piece(path=path, schema=self._whole(own), value=value)
        elif isinstance(value, dict):
            yield from self._narrow_object(path, schema, value)
        elif isinstance(value, list) and isinstance(schema.get("items"), dict):
            yield from self._narrow_list(path, schema["items"], value)

    def _narrow_object(
        self, path: Path, schema: dict[str, Any], value: dict[str, Any]
    ) -> Iterator[Piece]:
        known: dict[str, Any] = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        missing = [name for name in schema.get("required", ()) if name not in value]
        if missing:
            yield Piece(path=path, schema={"required": missing}, value={})
        if others is False and "patternProperties" not in schema:
            unknown = {name: None for name in value if name not in known}
            if unknown:
                rule = {"properties": known, "additionalProperties": False}
                few = dict(list(unknown.items())[:_MOST_NAMES])
                yield Piece(path=path, schema=self._whole(rule), value=few)
        for name, part in value.items():
            rule = known.get(name, others)
            if isinstance(rule, dict) and not self._fits(rule, part):
                yield from self.narrow((*path, name), rule, part)
            if self._found >= _MOST_PIECES:
                return

    def _narrow_list(
        self, path: Path, rule: dict[str, Any], value: list[object]
    ) -> Iterator[Piece]:
        every = {"type": "array", "items": rule}
        start = 0
        while self._found < _MOST_PIECES:
            first = self._first_wrong(every, value, start)
            if first is None:
                return
            yield from self.narrow((*path, first), rule, value[first])
            start = first + 1

    def _first_wrong(self, every: dict[str, Any], value: list[object], start: int) -> int | None:
        """Return the index of the first item from `start` that does not fit, by bisection."""
        low, high = start, len(value)
        if low >= high or self._fits(every, value[low:high]):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            if self._fits(every, value[low:middle]):
                low = middle
            else:
                high = middle
        return low

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Follow references, and reduce an optional schema to its branch that is not null."""
        for _ in range(_DEEPEST):
            reference = schema.get("$ref")
            branches = [
                branch
                for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
                if isinstance(branch, dict) and branch.get("type") != "null"
            ]
            if isinstance(reference, str) and reference.startswith("#/$defs/"):
                name = reference.removeprefix("#/$defs/")
                schema = self.root.get("$defs", {}).get(name, {})
            elif len(branches) == 1:
                [schema] = branches
            else:
                break
        return schema

    def _whole(self, schema: dict[str, Any]) -> dict[str, Any]:
        definitions = self.root.get("$defs")
        return {**schema, "$defs": definitions} if definitions else schema

    def _fits(self, schema: dict[str, Any], value: object) -> bool:
        decide = self._schemas.get(id(schema))
        if decide is None:
            decide = self._schemas[id(schema)] = self.compile_schema(self._whole(schema))
            self._kept.append(schema)  # keeps it alive, so that no other schema gets its id
        return decide.is_valid(value)


def count_parts(value: object, *, most: int) -> int:
    """Count the parts of a JSON value; stop once the count exceeds `most`."""
    count, waiting = 1, [value]
    while waiting and count <= most:
        here = waiting.pop()
        if not isinstance(here, dict | list):
            continue
        count += len(here)
        if count <= most:
            parts = here.values() if isinstance(here, dict) else here
            waiting.extend(part for part in parts if isinstance(part, dict | list))
    return count
