"""What a consistency check answers."""

from __future__ import annotations

from gateway.openapi.json_schema import (
    COUNT,
    MAYBE_MOMENT,
    MAYBE_TEXT,
    TEXT,
    Json,
    component_ref,
    list_of,
    object_of,
)
from runtime.invocations.check_summary import FINDING_KINDS

_BY_KIND: Json = {"type": "object", "additionalProperties": COUNT}

CHECK_SCHEMAS: dict[str, Json] = {
    "NewCheck": {
        **object_of(
            {
                "repair": {
                    "type": "boolean",
                    "default": False,
                    "description": "Mend what does not fit, where that loses nothing.",
                }
            },
            [],
        ),
        "additionalProperties": False,
    },
    "CheckList": list_of(component_ref("Check")),
    "Check": {
        "description": "A comparison of everything that Redis holds: records, lanes, leases, "
        "indexes, counts, batches, deliveries and schedules. A worker runs it.",
        **object_of(
            {
                "id": TEXT,
                "state": {"type": "string", "enum": ["waiting", "running", "finished"]},
                "repair": {"type": "boolean"},
                "looked_at": {**COUNT, "description": "How much has been compared."},
                "found": {**_BY_KIND, "description": "What does not fit, by kind."},
                "left": {**_BY_KIND, "description": "Those of them that were not mended."},
                "findings": {
                    "type": "array",
                    "description": "The first thousand.",
                    "items": object_of(
                        {
                            "kind": {"type": "string", "enum": list(FINDING_KINDS)},
                            "id": {**TEXT, "description": "What it is about."},
                            "is": TEXT,
                            "should": TEXT,
                            "repaired": {"type": "boolean"},
                        }
                    ),
                },
                "worker": MAYBE_TEXT,
                "asked_at": MAYBE_MOMENT,
                "started_at": MAYBE_MOMENT,
                "finished_at": MAYBE_MOMENT,
                "links": {"type": "object", "additionalProperties": TEXT},
            }
        ),
    },
}
