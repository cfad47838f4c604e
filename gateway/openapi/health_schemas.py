"""Schemas of readiness and of the quarantine, for the OpenAPI document."""

from __future__ import annotations

from gateway.openapi.json_schema import (
    COUNT,
    MOMENT,
    TEXT,
    Json,
    array_of,
    choice,
    component,
    component_ref,
    described,
    object_of,
)

_WARNING = object_of(
    code=described(TEXT, "The kind of warning, for programs."),
    detail=described(TEXT, "What is wrong."),
)

HEALTH_SCHEMAS: dict[str, Json] = {
    "Readiness": component(
        "Says that calls are accepted. The other fields are shown only by a gateway "
        "that needs no key.",
        ["status"],
        status=choice(["ready"], "Always `ready`; otherwise the response is a problem."),
        functions=described(COUNT, "How many functions can serve."),
        warnings=described(array_of(_WARNING), "Faults that do not stop calls."),
    ),
    "SetAside": component(
        "An invocation that has failed because its record is missing or damaged.",
        id=described(TEXT, "The id of the invocation."),
        function=described(TEXT, "The name of the function; empty if unknown."),
        queue=described(TEXT, "The name of the queue; empty if unknown."),
        at=described(MOMENT, "When it was set aside."),
        reason=described(TEXT, "What is wrong with its record."),
    ),
    "QuarantineList": component(
        "The invocations that are set aside.",
        count=described(COUNT, "How many there are; at most 1,000."),
        items=described(array_of(component_ref("SetAside")), "The latest 100 of them."),
        next={"type": "null", "description": "Always null."},
    ),
}
