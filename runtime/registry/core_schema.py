"""Walk and copy pydantic core schemas.

Some keys hold schemas by names that an author has chosen. A field may be called `type`, `default`
or `metadata`; such a name must not be taken for a key of the schema around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_BY_NAME = frozenset({"fields", "choices"})
_NO_SCHEMA = frozenset({"config", "metadata", "default", "expected", "cls"})


def parts_of(schema: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield the parts of a core schema, or of a list in one, that may be schemas themselves."""
    if isinstance(schema, list | tuple):
        yield from schema
    elif isinstance(schema, Mapping):
        for key, part in schema.items():
            if key in _BY_NAME and isinstance(part, Mapping):
                yield from part.values()
            elif key not in _NO_SCHEMA:
                yield part


def with_parts(schema: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    """Return a copy of a core schema, or of a list in one, with `change` applied to its parts."""
    if isinstance(schema, list | tuple):
        return type(schema)([change(part) for part in schema])
    if not isinstance(schema, Mapping):
        return schema
    return {key: _with_part(key, part, change) for key, part in schema.items()}


def _with_part(key: str, part: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    if key in _BY_NAME and isinstance(part, Mapping):
        return {name: change(named) for name, named in part.items()}
    return part if key in _NO_SCHEMA else change(part)
