"""What tells whether all is well: readiness with its warnings, and what was set aside."""

from __future__ import annotations

from gateway.openapi.json_schema import COUNT, MOMENT, TEXT, Json, component_ref, object_of

HEALTH_SCHEMAS: dict[str, Json] = {
    "Readiness": {
        "description": "Whether calls are taken. An open gateway tells the rest besides.",
        **object_of(
            {
                "status": {"type": "string", "enum": ["ready"]},
                "functions": {**COUNT, "description": "How many serve."},
                "warnings": {
                    "description": "What is wrong and stops no call.",
                    "type": "array",
                    "items": object_of({"code": TEXT, "detail": TEXT}),
                },
            },
            ["status"],
        ),
    },
    "SetAside": {
        "description": "An invocation whose record is gone or damaged; what is left of it failed.",
        **object_of(
            {
                "id": TEXT,
                "function": {**TEXT, "description": "Empty where it is not known."},
                "queue": {**TEXT, "description": "Empty where it is not known."},
                "at": MOMENT,
                "reason": TEXT,
            }
        ),
    },
    "QuarantineList": {
        "description": "How many invocations are set aside, at most 1,000, and the latest hundred.",
        **object_of(
            {
                "count": COUNT,
                "items": {"type": "array", "items": component_ref("SetAside")},
                "next": {"type": "null"},
            }
        ),
    },
}
