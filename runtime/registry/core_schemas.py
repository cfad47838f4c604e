"""Make validators and serializers of pydantic's core schemas, in every version that functions use.

Newer releases take those that a model has already built in place of what its schema says; ours
are for schemas that were changed, so that must not happen.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import CoreConfig, SchemaSerializer, SchemaValidator


def _options() -> dict[str, Any]:
    anew = {"_use_prebuilt": False}
    try:
        SchemaValidator({"type": "any"}, None, **anew)
    except TypeError:  # pydantic-core before 2.34 always builds anew
        return {}
    return anew


_ANEW = _options()


def make_validator(schema: Any, config: CoreConfig | None = None) -> SchemaValidator:  # noqa: ANN401
    """Return a validator of a core schema; raises what pydantic raises for a wrong one."""
    return SchemaValidator(schema, config, **_ANEW)


def make_serializer(schema: Any, config: CoreConfig | None = None) -> SchemaSerializer:  # noqa: ANN401
    """Return a serializer of a core schema; raises what pydantic raises for a wrong one."""
    return SchemaSerializer(schema, config, **_ANEW)
