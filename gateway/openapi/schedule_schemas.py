"""The shapes of schedules: as shown, as made, as changed."""

from __future__ import annotations

from typing import Any

from gateway.openapi.json_schema import ANY_OBJECT
from runtime.sdk.option_parsing import NAME_PATTERN
from runtime.store.schedule_commands import SKIP_REASONS

Json = dict[str, Any]
_MOMENT: Json = {"type": "string", "format": "date-time"}
_MAYBE_MOMENT: Json = {"type": ["string", "null"], "format": "date-time"}
_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_FUNCTION: Json = {**_TEXT, "description": "The function to invoke."}
_DEFINITION: dict[str, Json] = {
    "cron": {
        **_TEXT,
        "description": "Five fields (minute hour day month weekday) or six, the seconds first; or "
        "`@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`, which become such fields.",
        "examples": ["0 9 * * mon-fri"],
    },
    "timezone": {
        **_TEXT,
        "description": "The time zone in which the line is read. A fixed time that a change of the "
        "clock skips comes when the gap ends, one that is shown twice comes once; a line with * as "
        "minute or hour follows elapsed time.",
        "default": "UTC",
        "examples": ["Europe/Berlin"],
    },
    "arguments": {
        **ANY_OBJECT,
        "description": "The arguments of every invocation.",
        "default": {},
    },
    "paused": {"type": "boolean", "description": "Whether it rests.", "default": False},
    "overlap": {
        "type": "boolean",
        "description": "Whether it fires although its last invocation has not ended; if not, the "
        "moment is skipped.",
        "default": True,
    },
    "catch_up": {
        "type": "boolean",
        "description": "Whether moments are made up for (the last hundred) that passed while no "
        "worker ran; if not, only the last one is, and only within a minute.",
        "default": False,
    },
}


def _object(properties: dict[str, Json], **more: object) -> Json:
    return {"type": "object", "properties": properties, **more}


_SHOWN: dict[str, Json] = {
    "id": _TEXT,
    "function": _FUNCTION,
    **{
        name: {key: value for key, value in schema.items() if key != "default"}
        for name, schema in _DEFINITION.items()
    },
    "next": {
        "type": "array",
        "items": _MOMENT,
        "maxItems": 5,
        "description": "The next five moments; none while it is paused.",
    },
    "last_invocation": {"type": ["string", "null"], "format": "uuid"},
    "source": {
        "type": "string",
        "enum": ["decorator", "api"],
        "description": "Who made it: the function's own options, or somebody by this API.",
    },
    "created_at": _MOMENT,
    "fired": {**_COUNT, "description": "How many invocations it has made."},
    "skipped": {**_COUNT, "description": "At how many moments it did not fire."},
    "last_skipped": _MAYBE_MOMENT,
    "skips": {
        "type": "array",
        "maxItems": 100,
        "description": "The latest moments at which it did not fire, the last one first.",
        "items": _object(
            {"at": _MOMENT, "reason": {"type": "string", "enum": list(SKIP_REASONS)}},
            required=["at", "reason"],
        ),
    },
    "links": {"type": "object", "additionalProperties": _TEXT},
}

SCHEDULE_SCHEMAS: dict[str, Json] = {
    "Schedule": _object(
        _SHOWN,
        required=list(_SHOWN),
        description="A cron line that invokes a function.",
    ),
    "ScheduleList": _object(
        {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Schedule"}},
            "next": {"type": ["string", "null"]},
        },
        required=["items", "next"],
    ),
    "NewSchedule": _object(
        {"function": {**_FUNCTION, "pattern": NAME_PATTERN, "maxLength": 128}, **_DEFINITION},
        required=["function", "cron"],
        additionalProperties=False,
    ),
    "ScheduleChange": _object(
        {
            name: {key: value for key, value in schema.items() if key != "default"}
            for name, schema in _DEFINITION.items()
        },
        minProperties=1,
        additionalProperties=False,
        description="What is to change. A function's own schedule takes `paused` only.",
    ),
}
