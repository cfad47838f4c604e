"""The shape of the statistics of the last minutes."""

from __future__ import annotations

from typing import Any

from runtime.invocations.statistics import OUTCOMES

Json = dict[str, Any]
_MOMENT: Json = {"type": "string", "format": "date-time"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_TIME: Json = {"type": "number", "minimum": 0}


def _object(properties: dict[str, Json]) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


_QUANTILES: Json = {"anyOf": [{"type": "null"}, _object({"p50": _TIME, "p95": _TIME})]}
_COUNTS: dict[str, Json] = {
    "ended": _COUNT,
    **dict.fromkeys(OUTCOMES, _COUNT),
    "failure_rate": {
        "type": ["number", "null"],
        "minimum": 0,
        "maximum": 1,
        "description": "Of those that succeeded or failed; null without any.",
    },
    "run_ms": _QUANTILES,
    "queue_ms": _QUANTILES,
}
_OF_FUNCTION = _object({"name": {"type": "string"}, **_COUNTS})

STATISTICS_SCHEMAS: dict[str, Json] = {
    "Statistics": {
        "description": "What ended in the last minutes, and how long it ran and waited. Quantiles "
        "are interpolated from histograms.",
        **_object(
            {
                "minutes": _COUNT,
                "step_minutes": {"type": "integer", "minimum": 1},
                "until": _MOMENT,
                "points": {"type": "array", "items": _object({"at": _MOMENT, **_COUNTS})},
                "total": _object(_COUNTS),
                "functions": {"type": "array", "items": _OF_FUNCTION},
                "recent_minutes": _COUNT,
                "failing": {
                    "type": "array",
                    "items": _OF_FUNCTION,
                    "description": "Those that failed in the last `recent_minutes`, most first.",
                },
            }
        ),
    }
}
