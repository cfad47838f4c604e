"""GET /statistics: outcomes and durations of the last minutes, for charts.

It reads counts for each minute and no records, so its cost does not grow with the history.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from falcon.asgi import Request, Response

from gateway.live.statistics_cache import MINUTE_MS, Minute, StatisticsCache
from gateway.parsing.preferences import fault_of, read_query, refuse_parameters
from gateway.resources.etag import answer_with_etag, digest_of
from gateway.routing.dashboard_routes import MOST_MINUTES
from runtime.invocations.statistics import OUTCOMES, OutcomeCounts, quantile_ms, sum_tallies
from runtime.invocations.view import moment
from runtime.sdk.option_parsing import is_function_name

USUAL_MINUTES = 60
RECENT_MINUTES = 10
_MOST_POINTS = 120
_LONGEST_NUMBER = 4
_QUERY = ("minutes", "function")


class Statistics:
    """GET /statistics."""

    def __init__(self, minutes: StatisticsCache) -> None:
        self._minutes = minutes

    async def on_get(self, req: Request, resp: Response) -> None:
        """Show the last minutes, of all functions or of one."""
        query = read_query(req.query_string, _QUERY)
        count, function = _read_minutes(query.get("minutes")), _read_function(query.get("function"))
        current, minutes = await self._minutes.read(count)
        if function is not None:
            minutes = [{k: t for k, t in tallies.items() if k == function} for tallies in minutes]
        body = msgspec.json.encode(statistics_view(current, minutes))
        resp.set_header("Cache-Control", "no-cache")
        etag = digest_of(body)
        answer_with_etag(req, resp, body, "application/json", etag)


def statistics_view(current: int, minutes: list[Minute]) -> dict[str, Any]:
    """Return the minutes up to `current` as callers see them.

    A long span is shown in steps of several minutes. They begin at multiples of their length, so
    that a step is the same in later responses.
    """
    step = -(-len(minutes) // _MOST_POINTS)
    first = current - len(minutes) + 1
    steps: dict[int, list[Minute]] = {}
    for at, tallies in enumerate(minutes, first):
        steps.setdefault(at // step * step, []).append(tallies)
    recent = _by_function(minutes[-RECENT_MINUTES:])
    failing = [name for name, tally in recent.items() if tally.outcomes["failed"]]
    failing.sort(key=lambda name: (-recent[name].outcomes["failed"], name))
    return {
        "minutes": len(minutes),
        "step_minutes": step,
        "until": moment((current + 1) * MINUTE_MS),
        "points": [
            {"at": moment(at * MINUTE_MS), **_counts_view(_total(part))}
            for at, part in sorted(steps.items())
        ],
        "total": _counts_view(_total(minutes)),
        "functions": [
            {"name": name, **_counts_view(tally)}
            for name, tally in sorted(_by_function(minutes).items())
        ],
        "recent_minutes": min(RECENT_MINUTES, len(minutes)),
        "failing": [{"name": name, **_counts_view(recent[name])} for name in failing],
    }


def _total(minutes: list[Minute]) -> OutcomeCounts:
    return sum_tallies(tally for tallies in minutes for tally in tallies.values())


def _by_function(minutes: list[Minute]) -> dict[str, OutcomeCounts]:
    functions: dict[str, OutcomeCounts] = {}
    for tallies in minutes:
        for name, tally in tallies.items():
            functions.setdefault(name, OutcomeCounts()).add(tally)
    return functions


def _counts_view(tally: OutcomeCounts) -> dict[str, Any]:
    rate = tally.failure_rate()
    return {
        "ended": tally.ended(),
        **{name: tally.outcomes[name] for name in OUTCOMES},
        "failure_rate": None if rate is None else round(rate, 4),
        "run_ms": _quantiles(tally.run),
        "queue_ms": _quantiles(tally.queue),
    }


def _quantiles(histogram: Mapping[float, int]) -> dict[str, float] | None:
    half, most = quantile_ms(histogram, 0.5), quantile_ms(histogram, 0.95)
    if half is None or most is None:
        return None
    return {"p50": round(half, 1), "p95": round(most, 1)}


def _read_minutes(text: str | None) -> int:
    if text is None:
        return USUAL_MINUTES
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    if not is_number or not 1 <= int(text) <= MOST_MINUTES:
        refuse_parameters([fault_of("?minutes", f"takes a number from 1 to {MOST_MINUTES}")])
    return int(text)


def _read_function(text: str | None) -> str | None:
    if text is not None and not is_function_name(text):
        refuse_parameters([fault_of("?function", "takes the name of a function")])
    return text
