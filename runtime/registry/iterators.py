"""Iterators in a result, such as `map`, `zip` and generators, which give their items only once.

A result that does not fit its declared type is serialised twice, and an iterator would be empty
the second time. So an iterator that is the whole result, or that the declared type mentions, is
turned into a list first. Any other iterator is found before the second serialisation, and the
result is refused, as its items are gone.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from runtime.json_shape import DEEPEST
from runtime.registry.core_schema import parts_of


def speaks_of_iterators(schema: Any) -> bool:  # noqa: ANN401
    """Whether a core schema contains an iterable that is not a container, such as a generator."""
    is_one = isinstance(schema, dict) and schema.get("type") == "generator"
    return is_one or any(map(speaks_of_iterators, parts_of(schema)))


def find_iterator(value: object, name: str) -> str | None:
    """Return the path of the first iterator in a value called `name`, None if there is none."""
    level = [(name, value)]
    for _ in range(DEEPEST):
        for path, part in level:
            if isinstance(part, Iterator):
                return path
        level = [(f"{path}{step}", part) for path, whole in level for step, part in _parts(whole)]
    return None


def read_out(value: Any, depth: int = 0) -> Any:  # noqa: ANN401
    """Return a value in which every iterator is replaced by a list of its items."""
    if isinstance(value, Iterator):
        return [read_out(part, depth + 1) for part in value]
    parts = list(_parts(value))
    if not parts or depth > DEEPEST or find_iterator(value, "") is None:
        return value
    made = [read_out(part, depth + 1) for _, part in parts]
    if isinstance(value, dict):
        return dict(zip(value, made, strict=True))
    if isinstance(value, list | tuple):
        return made
    copied = copy.copy(value)
    for (step, _), part in zip(parts, made, strict=True):
        object.__setattr__(copied, step.removeprefix("."), part)
    return copied


def _parts(value: Any) -> Iterable[tuple[str, Any]]:  # noqa: ANN401
    if isinstance(value, dict):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    if isinstance(value, list | tuple):
        return [(f"[{place}]", part) for place, part in enumerate(value)]
    if isinstance(value, BaseModel):
        return [(f".{name}", part) for name, part in value.__dict__.items()]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [
            (f".{one.name}", getattr(value, one.name, None)) for one in dataclasses.fields(value)
        ]
    return ()
