"""Find out which parts of a core schema an author has written, and which are secrets.

A JSON Schema from pydantic says correctly what pydantic's own functions accept. What an author's
validator functions accept is unknown, and validators ignore JSON Schema that an author has written.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import SkipJsonSchema, WithJsonSchema

from runtime.registry.core_schema import parts_of

_HAND_WRITTEN = (WithJsonSchema, SkipJsonSchema)
_SECRETS = frozenset({"SecretStr", "SecretBytes", "Secret"})
_TAKES_ANYTHING = "import_string"  # a pydantic function that accepts any value but a wrong string
_BEFORE = frozenset({"function-before", "function-wrap", "function-plain"})


def is_authors(schema: Mapping[str, Any]) -> bool:
    """Whether an author's function gets the value before pydantic's validator does."""
    function = _function_of(schema)
    return schema.get("type") in _BEFORE and (
        not _is_pydantics(function) or getattr(function, "__name__", "") == _TAKES_ANYTHING
    )


def is_secret(schema: Mapping[str, Any]) -> bool:
    """Whether a core schema reads a value into pydantic's SecretStr, SecretBytes or Secret."""
    function = _function_of(schema)
    owner = getattr(function, "__qualname__", "").partition(".")[0]
    return owner in _SECRETS and _is_pydantics(function)


def holds_secret(schema: Any, defined: Mapping[str, Any]) -> bool:  # noqa: ANN401
    """Whether a core schema contains a secret; `defined` has the definitions by reference."""
    waiting, seen = [schema], set()
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping):
            if is_secret(here):
                return True
            if here.get("type") == "definition-ref" and here["schema_ref"] not in seen:
                seen.add(here["schema_ref"])
                waiting.append(defined.get(here["schema_ref"]))
        waiting.extend(parts_of(here))
    return False


def without_hand_written(schema: Any) -> Any:  # noqa: ANN401
    """Return a core schema without JSON Schema that an author wrote: validators ignore it."""
    metadata = schema.get("metadata")
    if not metadata:
        return schema
    kept = {
        key: [function for function in metadata[key] if _is_pydantics(function)]
        for key in ("pydantic_js_functions", "pydantic_js_annotation_functions")
        if key in metadata
    }
    return {**schema, "metadata": kept}


def _function_of(schema: Mapping[str, Any]) -> object:
    function = schema.get("function")
    return function.get("function") if isinstance(function, Mapping) else None


def _is_pydantics(function: object) -> bool:
    """Whether a function is pydantic's own, so that its published schema is correct."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(getattr(function, "__self__", None), _HAND_WRITTEN):
        return False
    if getattr(function, "__qualname__", "").startswith(("WithJsonSchema", "SkipJsonSchema")):
        return False
    module = getattr(function, "__module__", None) or ""
    return module.partition(".")[0] == "pydantic" and ".experimental" not in module
