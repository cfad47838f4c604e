"""Change pydantic core schemas so that validators read JSON as Penstock needs it.

Bytes are base64 (`runtime.registry.base64_bytes`). An iterable argument is validated as a whole.
Otherwise pydantic would check each item when the function reaches it, and an invalid argument
would look like a failure of the function.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic_core import core_schema

from runtime.registry.base64_bytes import filled_in
from runtime.registry.core_schema import with_parts
from runtime.registry.core_schemas import BOTH_NAMES

_NAMED = frozenset({"model-fields", "dataclass-args", "typed-dict"})


def readable(schema: Any) -> Any:  # noqa: ANN401
    """Return a copy of a core schema for validating arguments."""
    return _whole(filled_in(schema), iterates=True)


def as_lists(schema: Any) -> Any:  # noqa: ANN401
    """Return a copy of a core schema for validating results; a list is valid for any iterable.

    A dict for a model may use the serialization aliases, which the published schema shows.
    """
    return _whole(filled_in(schema), iterates=False)


def _whole(schema: Any, *, iterates: bool) -> Any:  # noqa: ANN401
    made = with_parts(schema, partial(_whole, iterates=iterates))
    if not iterates and isinstance(made, dict) and "serialization_alias" in made:
        made["validation_alias"] = _also_as_written(made)
    if not iterates and not BOTH_NAMES and isinstance(made, dict) and made.get("type") in _NAMED:
        made["populate_by_name"] = True
    if not isinstance(schema, dict) or schema.get("type") != "generator":
        return made
    made["type"] = "list"
    if not iterates:
        return made
    reference = made.pop("ref", None)
    return core_schema.no_info_after_validator_function(iter, made, ref=reference)


def _also_as_written(field: dict[str, Any]) -> list[list[str | int]]:
    """Return a field's validation aliases as paths, and its serialization alias as one more."""
    given = field.get("validation_alias", [])
    paths = [[given]] if isinstance(given, str) else given
    if paths and not isinstance(paths[0], list):  # one path
        paths = [paths]
    return [*paths, [field["serialization_alias"]]]
