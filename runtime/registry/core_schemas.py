"""Make validators and serializers of pydantic's core schemas, in every version that functions use.

Newer releases take those that a model has already built in place of what its schema says; ours
are for schemas that were changed, so that must not happen.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import CoreConfig, SchemaSerializer, SchemaValidator


def _options() -> dict[str, Any]:
    anew: dict[str, Any] = {"_use_prebuilt": False}
    try:
        SchemaValidator({"type": "any"}, None, **anew)
    except TypeError:  # pydantic-core before 2.34 always builds anew
        return {}
    return anew


def _both_names() -> dict[str, Any]:
    both: dict[str, Any] = {"by_alias": True, "by_name": True}
    try:
        SchemaValidator({"type": "any"}, None).validate_python(None, **both)
    except TypeError:  # pydantic before 2.11; see `json_validation.as_lists`
        return {}
    return both


_ANEW = _options()
BOTH_NAMES = _both_names()
"""Options with which a validator takes fields by their aliases and by their names."""


def make_validator(schema: Any, config: CoreConfig | None = None) -> SchemaValidator:  # noqa: ANN401
    """Return a validator of a core schema; raises what pydantic raises for a wrong one."""
    return SchemaValidator(schema, config, **_ANEW)


def make_serializer(schema: Any, config: CoreConfig | None = None) -> SchemaSerializer:  # noqa: ANN401
    """Return a serializer of a core schema; raises what pydantic raises for a wrong one."""
    return SchemaSerializer(schema, config, **_ANEW)
