"""The one table of metrics: name, kind, labels, help.

The exposition contains no other metrics, and tests compare docs/operations (the page, the Grafana
dashboard, the alert rules) with this table. To add a metric, add it here and in
`gateway.metrics.exposition`, then run `make docs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row. The name of a counter ends in `_total`; other names end in their unit, if any."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "summary"]
    labels: tuple[str, ...] = ()
    help: str


METRICS: tuple[Metric, ...] = (
    Metric(
        name="penstock_invocations_total",
        kind="counter",
        labels=("function", "outcome"),
        help="Finished invocations, by outcome: succeeded, failed, cancelled or expired.",
    ),
    Metric(
        name="penstock_run_seconds",
        kind="histogram",
        labels=("function",),
        help="Run time of the attempt that finished an invocation, from its claim to its result.",
    ),
    Metric(
        name="penstock_queue_seconds",
        kind="histogram",
        labels=("function",),
        help="Time from when an invocation was due to its start, if it took one attempt.",
    ),
    Metric(
        name="penstock_retries_total",
        kind="counter",
        labels=("function",),
        help="Failed attempts after which the invocation is retried.",
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
        help="Invocations that are due and waiting for a worker.",
    ),
    Metric(
        name="penstock_queue_scheduled",
        kind="gauge",
        labels=("queue",),
        help="Invocations that are not due yet: scheduled, or waiting for a retry.",
    ),
    Metric(
        name="penstock_queue_in_flight",
        kind="gauge",
        labels=("queue",),
        help="Attempts that are running.",
    ),
    Metric(
        name="penstock_queue_oldest_age_seconds",
        kind="gauge",
        labels=("queue",),
        help="How long the oldest waiting invocation has been due; 0 if none is waiting.",
    ),
    Metric(
        name="penstock_queue_paused",
        kind="gauge",
        labels=("queue",),
        help="1 while the queue is paused, else 0.",
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
        help="Finished callback deliveries, by outcome: delivered, failed or stopped.",
    ),
    Metric(
        name="penstock_deliveries_pending",
        kind="gauge",
        help="Callback deliveries that have not finished.",
    ),
    Metric(
        name="penstock_delivery_oldest_pending_age_seconds",
        kind="gauge",
        help="Age of the oldest pending callback delivery; 0 if there is none.",
    ),
    Metric(
        name="penstock_retention_overdue",
        kind="gauge",
        help="Invocations past their retention that are not deleted yet.",
    ),
    Metric(
        name="penstock_quarantined_invocations",
        kind="gauge",
        help="Invocations in quarantine because their records are missing or damaged.",
    ),
    Metric(name="penstock_workers", kind="gauge", help="Live worker processes."),
    Metric(
        name="penstock_worker_in_flight",
        kind="gauge",
        labels=("worker",),
        help="Attempts that a worker holds, started or not.",
    ),
    Metric(
        name="penstock_worker_loop_lag_seconds",
        kind="gauge",
        labels=("worker",),
        help="The longest delay of a due callback in a worker's event loop between its last two "
        "heartbeats.",
    ),
    Metric(
        name="penstock_runner_wait_seconds",
        kind="summary",
        labels=("worker",),
        help="How long the attempts that a worker claimed waited for a runner.",
    ),
    Metric(
        name="penstock_functions",
        kind="gauge",
        help="Functions that can be called.",
    ),
    Metric(
        name="penstock_functions_with_load_error",
        kind="gauge",
        help="Functions whose current file does not load; an older version may still be served.",
    ),
    Metric(
        name="penstock_check_findings",
        kind="gauge",
        labels=("kind",),
        help="Findings that the last consistency check did not repair, by kind.",
    ),
    Metric(
        name="penstock_check_finished_timestamp_seconds",
        kind="gauge",
        help="When the last consistency check finished; 0 before the first.",
    ),
    Metric(
        name="penstock_redis_up",
        kind="gauge",
        help="1 if Redis answered this scrape; if 0, only this and the build are shown.",
    ),
    Metric(
        name="penstock_redis_errors_total",
        kind="counter",
        labels=("kind",),
        help="Failed requests to Redis, of all processes, by kind: unavailable, refused (full or "
        "read-only) or other. Added once Redis answers again.",
    ),
    Metric(
        name="penstock_background_crashes_total",
        kind="counter",
        help="Crashes of background loops, of all processes. Each loop was restarted, and the "
        "crash logged as background_crashed.",
    ),
    Metric(
        name="penstock_build_info",
        kind="gauge",
        labels=("version", "python"),
        help="Always 1; the labels are the versions of Penstock and Python.",
    ),
)
