"""Schemas of schedules, for the OpenAPI document: as shown, created and changed."""

from __future__ import annotations

from gateway.openapi.json_schema import (
    ANY_OBJECT,
    COUNT,
    LINKS,
    MAYBE_MOMENT,
    MOMENT,
    TEXT,
    Json,
    choice,
    closed,
    component,
    component_ref,
    described,
    list_of,
    object_of,
)
from runtime.sdk.option_parsing import NAME_PATTERN
from runtime.store.schedule_commands import SKIP_REASONS

_FUNCTION = described(TEXT, "The function to invoke.")
_DEFINITION: dict[str, Json] = {
    "cron": {
        **TEXT,
        "description": "Five fields (minute hour day month weekday), or six with seconds first; or "
        "`@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`, which stand for such fields.",
        "examples": ["0 9 * * mon-fri"],
    },
    "timezone": {
        **TEXT,
        "description": "The time zone of the cron line. When clocks go forward, a fixed time in "
        "the gap fires at the end of the gap. When they go back, a fixed time that occurs twice "
        "fires once. A line with * as minute or hour follows elapsed time.",
        "default": "UTC",
        "examples": ["Europe/Berlin"],
    },
    "arguments": {
        **ANY_OBJECT,
        "description": "The arguments of every invocation.",
        "default": {},
    },
    "paused": {
        "type": "boolean",
        "description": "Whether the schedule is paused.",
        "default": False,
    },
    "overlap": {
        "type": "boolean",
        "description": "Whether it fires while its last invocation is unfinished. If not, that "
        "firing time is skipped.",
        "default": True,
    },
    "catch_up": {
        "type": "boolean",
        "description": "Whether firing times that passed while no worker ran are made up for, at "
        "most the last 100. If not, only the last one fires, and only within one minute.",
        "default": False,
    },
}
_CHANGEABLE = {
    name: {key: value for key, value in schema.items() if key != "default"}
    for name, schema in _DEFINITION.items()
}
_SKIP = object_of(
    at=described(MOMENT, "The firing time."),
    reason=choice(
        SKIP_REASONS,
        "`missed`: no worker ran in time. `overlap`: the last invocation was "
        "unfinished. `full`: the limit of waiting invocations was reached. `unavailable`: no "
        "version of the function served.",
    ),
)
_SHOWN: dict[str, Json] = {
    "id": described(TEXT, "The id of the schedule."),
    "function": _FUNCTION,
    **_CHANGEABLE,
    "next": {
        "type": "array",
        "items": MOMENT,
        "maxItems": 5,
        "description": "The next five firing times; empty while it is paused.",
    },
    "last_invocation": {
        "type": ["string", "null"],
        "format": "uuid",
        "description": "The id of its last invocation.",
    },
    "source": choice(
        ["decorator", "api"], "`decorator`: the function declares it. `api`: it was created here."
    ),
    "created_at": described(MOMENT, "When it was created."),
    "fired": described(COUNT, "How many invocations it has made."),
    "skipped": described(COUNT, "How many firing times were skipped."),
    "last_skipped": described(MAYBE_MOMENT, "The latest firing time that was skipped."),
    "skips": {
        "type": "array",
        "maxItems": 100,
        "description": "The latest firing times that were skipped, latest first.",
        "items": _SKIP,
    },
    "links": LINKS,
}

SCHEDULE_SCHEMAS: dict[str, Json] = {
    "Schedule": described(object_of(**_SHOWN), "A cron line that invokes a function."),
    "ScheduleList": list_of(component_ref("Schedule")),
    "NewSchedule": closed(
        component(
            "The schedule to create.",
            ["function", "cron"],
            function={**_FUNCTION, "pattern": NAME_PATTERN, "maxLength": 128},
            **_DEFINITION,
        )
    ),
    "ScheduleChange": {
        "description": "The fields to change. A schedule that a function declares accepts only "
        "`paused`.",
        "type": "object",
        "properties": _CHANGEABLE,
        "minProperties": 1,
        "additionalProperties": False,
    },
}
