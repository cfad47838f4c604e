"""The few shapes that schemas of the document are made of."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
MAYBE_TEXT: Json = {"type": ["string", "null"]}
COUNT: Json = {"type": "integer", "minimum": 0}
MAYBE_COUNT: Json = {"type": ["integer", "null"], "minimum": 0}
MEASURE: Json = {"type": "number", "minimum": 0}
MOMENT: Json = {"type": "string", "format": "date-time"}
# An object of any members says so: to some generators, one that names none has none.
ANY_OBJECT: Json = {"type": "object", "additionalProperties": True}
# With a `type`, or generators take it for any value and write code that fails when it runs.
BINARY: Json = {"type": "string", "format": "binary"}
MAYBE_MOMENT: Json = {"type": ["string", "null"], "format": "date-time"}


def object_of(properties: Json, required: list[str] | None = None) -> Json:
    """Return an object with these members; all are required unless said."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }


def list_of(item: Json) -> Json:
    """Return a page of a list."""
    return object_of({"items": {"type": "array", "items": item}, "next": MAYBE_TEXT})
