"""The one table of metrics: name, kind, labels, help.

The exposition contains no other metrics, and tests compare docs/operations (the page, the Grafana
dashboard, the alert rules) with this table. To add a metric, add it here and in
`gateway.metrics.exposition`, then run `make docs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One row. The name of a counter ends in `_total`; other names end in their unit, if any."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "summary"]
    help: str
    labels: tuple[str, ...] = ()


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, "counter", text, labels)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, "gauge", text, labels)


METRICS: tuple[Metric, ...] = (
    _counter(
        "penstock_invocations_total",
        "Finished invocations, by outcome: succeeded, failed, cancelled or expired.",
        "function",
        "outcome",
    ),
    Metric(
        "penstock_run_seconds",
        "histogram",
        "Run time of the attempt that finished an invocation, from its claim to its result.",
        ("function",),
    ),
    Metric(
        "penstock_queue_seconds",
        "histogram",
        "Time from when an invocation was due to its start, if it took one attempt.",
        ("function",),
    ),
    _counter(
        "penstock_retries_total",
        "Failed attempts after which the invocation is retried.",
        "function",
    ),
    _counter("penstock_lost_attempts_total", "Attempts whose runner or worker died.", "function"),
    _gauge("penstock_queue_depth", "Invocations that are due and waiting for a worker.", "queue"),
    _gauge(
        "penstock_queue_scheduled",
        "Invocations that are not due yet: scheduled, or waiting for a retry.",
        "queue",
    ),
    _gauge("penstock_queue_in_flight", "Attempts that are running.", "queue"),
    _gauge(
        "penstock_queue_oldest_age_seconds",
        "How long the oldest waiting invocation has been due; 0 if none is waiting.",
        "queue",
    ),
    _gauge("penstock_queue_paused", "1 while the queue is paused, else 0.", "queue"),
    _counter("penstock_take_overs_total", "Attempts taken over from workers that died or hung."),
    _counter(
        "penstock_late_results_total", "Results refused because their attempt had been taken over."
    ),
    _counter(
        "penstock_deliveries_total",
        "Finished callback deliveries, by outcome: delivered, failed or stopped.",
        "outcome",
    ),
    _gauge("penstock_deliveries_pending", "Callback deliveries that have not finished."),
    _gauge(
        "penstock_delivery_oldest_pending_age_seconds",
        "Age of the oldest pending callback delivery; 0 if there is none.",
    ),
    _gauge(
        "penstock_retention_overdue", "Invocations past their retention that are not deleted yet."
    ),
    _gauge(
        "penstock_quarantined_invocations",
        "Invocations in quarantine because their records are missing or damaged.",
    ),
    _gauge("penstock_workers", "Live worker processes."),
    _gauge(
        "penstock_environments",
        "Environments of functions: ready, building, or failed to be provided.",
        "state",
    ),
    _gauge("penstock_environment_bytes", "Disk space that ready environments take."),
    _gauge("penstock_environment_build_seconds", "How long the latest build took."),
    _gauge("penstock_worker_in_flight", "Attempts that a worker holds, started or not.", "worker"),
    _gauge(
        "penstock_worker_loop_lag_seconds",
        "The longest delay of a due callback in a worker's event loop between its last two "
        "heartbeats.",
        "worker",
    ),
    Metric(
        "penstock_runner_wait_seconds",
        "summary",
        "How long the attempts that a worker claimed waited for a runner.",
        ("worker",),
    ),
    _gauge("penstock_functions", "Functions that can be called."),
    _gauge(
        "penstock_functions_with_load_error",
        "Functions whose current file does not load; an older version may still be served.",
    ),
    _gauge(
        "penstock_check_findings",
        "Findings that the last consistency check did not repair, by kind.",
        "kind",
    ),
    _gauge(
        "penstock_check_finished_timestamp_seconds",
        "When the last consistency check finished; 0 before the first.",
    ),
    _gauge(
        "penstock_redis_up",
        "1 if Redis answered this scrape; if 0, only this and the build are shown.",
    ),
    _counter(
        "penstock_redis_errors_total",
        "Failed requests to Redis, of all processes, by kind: unavailable, refused (full or "
        "read-only) or other. Added once Redis answers again.",
        "kind",
    ),
    _counter(
        "penstock_background_crashes_total",
        "Crashes of background loops, of all processes. Each loop was restarted, and the "
        "crash logged as background_crashed.",
    ),
    _gauge(
        "penstock_build_info",
        "Always 1; the labels are the versions of Penstock and Python.",
        "version",
        "python",
    ),
)
