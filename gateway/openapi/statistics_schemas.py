"""Schema of the statistics of the last minutes, for the OpenAPI document."""

from __future__ import annotations

from gateway.openapi.json_schema import (
    COUNT,
    MEASURE,
    MOMENT,
    TEXT,
    Json,
    array_of,
    component,
    described,
    object_of,
)
from runtime.invocations.statistics import OUTCOMES

_MEANINGS = {
    "succeeded": "Invocations that succeeded.",
    "failed": "Invocations that failed.",
    "cancelled": "Invocations that were cancelled.",
    "expired": "Invocations that expired.",
    "retried": "Attempts that failed and were followed by a retry.",
    "lost": "Attempts whose worker or runner died.",
}
_QUANTILES: Json = {
    "anyOf": [
        {"type": "null"},
        object_of(
            p50=described(MEASURE, "The median."), p95=described(MEASURE, "95th percentile.")
        ),
    ]
}
_COUNTS: dict[str, Json] = {
    "ended": described(COUNT, "Invocations that finished."),
    **{outcome: described(COUNT, _MEANINGS[outcome]) for outcome in OUTCOMES},
    "failure_rate": {
        "type": ["number", "null"],
        "minimum": 0,
        "maximum": 1,
        "description": "`failed` divided by `succeeded` plus `failed`; null if both are 0.",
    },
    "run_ms": described(_QUANTILES, "Run times, in milliseconds."),
    "queue_ms": described(_QUANTILES, "Times in the queue, in milliseconds."),
}
_OF_FUNCTION = object_of(name=described(TEXT, "The name of the function."), **_COUNTS)
_POINT = object_of(at=described(MOMENT, "When the step begins."), **_COUNTS)

STATISTICS_SCHEMAS: dict[str, Json] = {
    "Statistics": component(
        "What finished in the last minutes, and how long it waited and ran. "
        "Quantiles are interpolated from histograms.",
        minutes=described(COUNT, "How many minutes are covered."),
        step_minutes={
            "type": "integer",
            "minimum": 1,
            "description": "How many minutes one step of `points` covers.",
        },
        until=described(MOMENT, "When the last minute ends."),
        points=described(array_of(_POINT), "The counts of each step, oldest first."),
        total=described(object_of(**_COUNTS), "The counts of all minutes."),
        functions=described(array_of(_OF_FUNCTION), "The counts of each function."),
        recent_minutes=described(COUNT, "How many minutes `failing` covers."),
        failing=described(
            array_of(_OF_FUNCTION),
            "The functions that failed in the last `recent_minutes`, most failures first.",
        ),
    )
}
