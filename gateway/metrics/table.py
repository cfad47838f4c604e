"""The one table of metrics: name, kind, labels, help.

The exposition makes nothing that is not in it; a test holds docs/operations (the page,
the Grafana dashboard, the alert rules) true to it. To add a metric, add it here and in
`gateway.metrics.exposition`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row; a counter's name ends in `_total`, what has a unit in `_seconds`."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "summary"]
    labels: tuple[str, ...] = ()
    help: str


METRICS: tuple[Metric, ...] = (
    Metric(
        name="penstock_invocations_total",
        kind="counter",
        labels=("function", "outcome"),
        help="Invocations that have ended: succeeded, failed, cancelled or expired.",
    ),
    Metric(
        name="penstock_run_seconds",
        kind="histogram",
        labels=("function",),
        help="From the start to the end of the attempt that ended an invocation.",
    ),
    Metric(
        name="penstock_queue_seconds",
        kind="histogram",
        labels=("function",),
        help="From when an invocation was due to its start, of those that took one attempt.",
    ),
    Metric(
        name="penstock_retries_total",
        kind="counter",
        labels=("function",),
        help="Attempts that failed and were put off to be tried again.",
    ),
    Metric(
        name="penstock_lost_attempts_total",
        kind="counter",
        labels=("function",),
        help="Attempts whose runner or worker died.",
    ),
    Metric(
        name="penstock_queue_depth",
        kind="gauge",
        labels=("queue",),
        help="Invocations that are due and wait for a worker.",
    ),
    Metric(
        name="penstock_queue_scheduled",
        kind="gauge",
        labels=("queue",),
        help="Invocations that wait for their time: scheduled or to be retried.",
    ),
    Metric(
        name="penstock_queue_in_flight",
        kind="gauge",
        labels=("queue",),
        help="Attempts that run.",
    ),
    Metric(
        name="penstock_queue_oldest_age_seconds",
        kind="gauge",
        labels=("queue",),
        help="How long the oldest of the depth has been due; 0 when nothing waits.",
    ),
    Metric(
        name="penstock_queue_paused",
        kind="gauge",
        labels=("queue",),
        help="1 while nothing of the queue may start.",
    ),
    Metric(
        name="penstock_take_overs_total",
        kind="counter",
        help="Attempts taken over from workers that died or hung.",
    ),
    Metric(
        name="penstock_late_results_total",
        kind="counter",
        help="Results refused because their attempt had been taken over.",
    ),
    Metric(
        name="penstock_deliveries_total",
        kind="counter",
        labels=("outcome",),
        help="Callback deliveries that have ended: delivered, failed or stopped.",
    ),
    Metric(
        name="penstock_deliveries_pending",
        kind="gauge",
        help="Callback deliveries that have not ended.",
    ),
    Metric(
        name="penstock_delivery_oldest_pending_age_seconds",
        kind="gauge",
        help="How long ago the oldest pending delivery was made; 0 without any.",
    ),
    Metric(
        name="penstock_retention_overdue",
        kind="gauge",
        help="Invocations past their retention that are not yet taken away.",
    ),
    Metric(
        name="penstock_quarantined_invocations",
        kind="gauge",
        help="Invocations set aside because their records are gone or damaged.",
    ),
    Metric(name="penstock_workers", kind="gauge", help="Worker processes that live."),
    Metric(
        name="penstock_worker_in_flight",
        kind="gauge",
        labels=("worker",),
        help="Attempts that a worker holds, begun or not.",
    ),
    Metric(
        name="penstock_worker_loop_lag_seconds",
        kind="gauge",
        labels=("worker",),
        help="How late a worker's event loop ran what was due, at most, between its last two "
        "heartbeats.",
    ),
    Metric(
        name="penstock_runner_wait_seconds",
        kind="summary",
        labels=("worker",),
        help="How long attempts that a worker had claimed waited for a runner.",
    ),
    Metric(
        name="penstock_functions",
        kind="gauge",
        help="Functions that serve.",
    ),
    Metric(
        name="penstock_functions_with_load_error",
        kind="gauge",
        help="Functions whose file as it is now does not load; an older version may serve.",
    ),
    Metric(
        name="penstock_check_findings",
        kind="gauge",
        labels=("kind",),
        help="What the last consistency check found and did not mend.",
    ),
    Metric(
        name="penstock_check_finished_timestamp_seconds",
        kind="gauge",
        help="When the last consistency check came to its end; 0 before the first.",
    ),
    Metric(
        name="penstock_redis_up",
        kind="gauge",
        help="Whether Redis answered this scrape; without it this and the build is all there is.",
    ),
    Metric(
        name="penstock_redis_errors_total",
        kind="counter",
        labels=("kind",),
        help="Requests that Redis failed, of all processes, told once it is back: "
        "unavailable, refused (full, read-only) or other.",
    ),
    Metric(
        name="penstock_background_crashes_total",
        kind="counter",
        help="Crashes of what shall live as long as its process, of all processes; each was begun "
        "anew, and logged as background_crashed.",
    ),
    Metric(
        name="penstock_build_info",
        kind="gauge",
        labels=("version", "python"),
        help="1; what runs here.",
    ),
)
