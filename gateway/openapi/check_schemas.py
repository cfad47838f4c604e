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
    choice,
    closed,
    component,
    component_ref,
    described,
    flag,
    list_of,
    object_of,
)
from runtime.invocations.check_summary import FINDING_KINDS

_BY_KIND: Json = {"type": "object", "additionalProperties": COUNT}
_FINDING = object_of(
    kind=choice(FINDING_KINDS, "The kind of finding."),
    id=described(TEXT, "The id of the invocation or other object."),
    **{"is": described(TEXT, "What was found.")},  # a word of Python
    should=described(TEXT, "What was expected."),
    repaired=flag("Whether the check repaired it."),
)

CHECK_SCHEMAS: dict[str, Json] = {
    "NewCheck": closed(
        component(
            "The options of a check.",
            [],
            repair={
                "type": "boolean",
                "default": False,
                "description": "Whether to repair inconsistencies where that loses no data.",
            },
        )
    ),
    "CheckList": list_of(component_ref("Check")),
    "Check": component(
        "A comparison of the data in Redis: records, lanes, leases, indexes, "
        "counts, batches, deliveries and schedules. A worker runs it.",
        id=described(TEXT, "The id of the check."),
        state=choice(["waiting", "running", "finished"], "How far the check is."),
        repair=flag("Whether it repairs what it finds."),
        looked_at=described(COUNT, "How many objects have been compared."),
        found=described(_BY_KIND, "How many inconsistencies it found, by kind."),
        left=described(_BY_KIND, "How many of them were not repaired, by kind."),
        findings=described(array_of(_FINDING), "The first 1,000 findings."),
        worker=described(MAYBE_TEXT, "The id of the worker that runs it."),
        asked_at=described(MAYBE_MOMENT, "When it was requested."),
        started_at=described(MAYBE_MOMENT, "When it started."),
        finished_at=described(MAYBE_MOMENT, "When it finished."),
        links=LINKS,
    ),
}
