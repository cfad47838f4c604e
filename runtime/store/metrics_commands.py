"""Typed commands for /metrics: read all figures in one round trip, and add up Redis errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from runtime.store.error_counters import Kind
from runtime.store.scripts import Command, call_script, pairs
from runtime.store.system_commands import QueueState, queue_states

MOST_FUNCTIONS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """`counts` of times up to each bound, and one of all longer times; not cumulative."""

    counts: tuple[int, ...]
    sum_ms: int


class FunctionFigures(NamedTuple):
    """The totals of one function since its first call, in the order of the scripts."""

    succeeded: int
    failed: int
    cancelled: int
    expired: int
    retried: int
    lost: int
    run: Histogram
    queue: Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemMetrics:
    """The figures of the whole system at one moment.

    Attributes:
        bounds_ms: Upper bounds of the histograms' buckets except the last.
        totals: Counts of the whole system, by their fields in the statistics.
        workers: How many worker processes are alive.
        oldest_delivery_ms: The age of the oldest pending delivery; None if there is none.
        overdue_records: How many records are past their retention and still there.
        quarantined: How many invocations are in quarantine.
    """

    bounds_ms: tuple[int, ...]
    functions: Mapping[str, FunctionFigures]
    totals: Mapping[str, int]
    queues: Sequence[QueueState]
    workers: int
    pending_deliveries: int
    oldest_delivery_ms: int | None
    overdue_records: int
    quarantined: int


def read_metrics(functions: Sequence[str]) -> Command[SystemMetrics]:
    """Read the figures of up to `MOST_FUNCTIONS` functions, and of the whole system."""

    def parse(reply: list[Any]) -> SystemMetrics:
        bounds, counted, totals, queues, workers, (pending, oldest), broken, overdue = reply
        return SystemMetrics(
            bounds_ms=tuple(bounds),
            functions=_functions(functions, counted),
            totals={name.decode(): count for name, count in pairs(totals)},
            queues=queue_states(queues),
            workers=workers,
            pending_deliveries=pending,
            oldest_delivery_ms=None if oldest < 0 else oldest,
            overdue_records=overdue,
            quarantined=broken,
        )

    return call_script("read_metrics", tuple(functions), parse)


def read_function_metrics(functions: Sequence[str]) -> Command[Mapping[str, FunctionFigures]]:
    """Read the figures of up to `MOST_FUNCTIONS` functions only."""
    return call_script(
        "read_function_metrics", tuple(functions), lambda reply: _functions(functions, reply)
    )


def add_errors(counts: Mapping[Kind, int]) -> Command[object]:
    """Add a process's Redis errors to the totals of all processes."""
    words = tuple(word for kind, count in counts.items() for word in (kind, count))
    return call_script("add_errors", words, lambda reply: reply)


def _functions(names: Sequence[str], counted: list[Any]) -> dict[str, FunctionFigures]:
    return {name: _function(*figures) for name, figures in zip(names, counted, strict=True)}


def _function(counts: list[int], run: list[int], queue: list[int]) -> FunctionFigures:
    return FunctionFigures._make((*counts, _histogram(run), _histogram(queue)))


def _histogram(buckets: list[int]) -> Histogram:
    *counts, sum_ms = buckets
    return Histogram(counts=tuple(counts), sum_ms=sum_ms)
