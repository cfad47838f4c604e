"""The parts of a core schema of pydantic's, for all who walk one or copy one.

Some keys hold schemas by names that an author has chosen: a field may be called `type`, `default`
or `metadata`, and says nothing then of the schema around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_BY_NAME = frozenset({"fields", "choices"})
_NO_SCHEMA = frozenset({"config", "metadata", "default", "expected", "cls"})


def parts_of(schema: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield what a core schema, or a list in one, is made of and may be a schema."""
    if isinstance(schema, list | tuple):
        yield from schema
    elif isinstance(schema, Mapping):
        for key, part in schema.items():
            if key in _BY_NAME and isinstance(part, Mapping):
                yield from part.values()
            elif key not in _NO_SCHEMA:
                yield part


def with_parts(schema: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    """Return a copy of a core schema, or of a list in one, each part changed that may be one."""
    if isinstance(schema, list | tuple):
        return type(schema)([change(part) for part in schema])
    if not isinstance(schema, Mapping):
        return schema
    return {key: _with_part(key, part, change) for key, part in schema.items()}


def _with_part(key: str, part: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    if key in _BY_NAME and isinstance(part, Mapping):
        return {name: change(named) for name, named in part.items()}
    return part if key in _NO_SCHEMA else change(part)
