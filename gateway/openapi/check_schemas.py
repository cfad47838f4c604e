"""Schemas of consistency checks, for the OpenAPI document."""

from __future__ import annotations

from gateway.openapi.json_schema import (
    COUNT,
    LINKS,
    MAYBE_MOMENT,
    MAYBE_TEXT,
    TEXT,
    Json,
    array_of,
    component_ref,
    described,
    list_of,
    object_of,
)
from runtime.invocations.check_summary import FINDING_KINDS

_BY_KIND: Json = {"type": "object", "additionalProperties": COUNT}
_FINDING = object_of(
    {
        "kind": {
            "type": "string",
            "enum": list(FINDING_KINDS),
            "description": "The kind of finding.",
        },
        "id": described(TEXT, "The id of the invocation or other object."),
        "is": described(TEXT, "What was found."),
        "should": described(TEXT, "What was expected."),
        "repaired": {"type": "boolean", "description": "Whether the check repaired it."},
    }
)

CHECK_SCHEMAS: dict[str, Json] = {
    "NewCheck": {
        "description": "The options of a check.",
        **object_of(
            {
                "repair": {
                    "type": "boolean",
                    "default": False,
                    "description": "Whether to repair inconsistencies where that loses no data.",
                }
            },
            [],
        ),
        "additionalProperties": False,
    },
    "CheckList": list_of(component_ref("Check")),
    "Check": {
        "description": "A comparison of the data in Redis: records, lanes, leases, indexes, "
        "counts, batches, deliveries and schedules. A worker runs it.",
        **object_of(
            {
                "id": described(TEXT, "The id of the check."),
                "state": {
                    "type": "string",
                    "enum": ["waiting", "running", "finished"],
                    "description": "How far the check is.",
                },
                "repair": {"type": "boolean", "description": "Whether it repairs what it finds."},
                "looked_at": described(COUNT, "How many objects have been compared."),
                "found": described(_BY_KIND, "How many inconsistencies it found, by kind."),
                "left": described(_BY_KIND, "How many of them were not repaired, by kind."),
                "findings": described(array_of(_FINDING), "The first 1,000 findings."),
                "worker": described(MAYBE_TEXT, "The id of the worker that runs it."),
                "asked_at": described(MAYBE_MOMENT, "When it was requested."),
                "started_at": described(MAYBE_MOMENT, "When it started."),
                "finished_at": described(MAYBE_MOMENT, "When it finished."),
                "links": LINKS,
            }
        ),
    },
}
