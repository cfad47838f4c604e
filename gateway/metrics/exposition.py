"""From the figures in Redis to the text that Prometheus scrapes: the metrics of the table.

The values of labels are bounded: published functions, queues that they name or that still hold
work, and live workers. A removed function is not shown; if it is published again, its counts come
back.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from gateway.live.worker_details import WorkerDetails
from gateway.metrics.table import METRICS, Metric
from runtime.invocations.check_summary import FINDING_KINDS, read_summary
from runtime.registry.manifest import Manifest
from runtime.store.check_commands import StoredCheck
from runtime.store.error_counters import KINDS
from runtime.store.metrics_commands import FunctionFigures, Histogram, SystemMetrics
from runtime.store.system_commands import QueueState

_OUTCOMES = ("succeeded", "failed", "cancelled", "expired")
_DELIVERY_OUTCOMES = ("delivered", "failed", "stopped")
_DEFAULT_QUEUE = "default"
_MS = 1000
Sample = tuple[tuple[str, ...], float]
Workers = Mapping[str, WorkerDetails]


def expose(
    figures: SystemMetrics | None,
    manifests: Mapping[str, Manifest],
    accept: str,
    *,
    check: StoredCheck | None = None,
    workers: Workers | None = None,
) -> tuple[bytes, str]:
    """Return the text and its media type; `figures` is None if Redis did not answer."""
    snapshot = _Snapshot(figures, manifests, check, workers or {})
    encode, media_type = choose_encoder(accept)
    return encode(snapshot), media_type


class _Snapshot(Collector):
    """One scrape, in the form that prometheus_client's encoders take."""

    def __init__(
        self,
        figures: SystemMetrics | None,
        manifests: Mapping[str, Manifest],
        check: StoredCheck | None,
        workers: Workers,
    ) -> None:
        self._figures = figures
        self._workers = workers
        self._samples = _own_samples(is_redis_up=figures is not None)
        if figures is not None:
            self._samples |= _function_samples(figures.functions)
            self._samples |= _queue_samples(figures, manifests)
            self._samples |= _total_samples(figures, manifests)
            self._samples |= _check_samples(check)
            self._samples |= _worker_samples(workers)
            self._samples |= _environment_samples(workers, manifests)

    def collect(self) -> Iterator[Family]:
        """Yield the families in the order of the table."""
        for metric in METRICS:
            if metric.kind == "histogram" and self._figures is not None:
                yield _histogram_family(metric.name, metric.help, self._figures)
            elif metric.kind == "summary" and self._figures is not None:
                yield _summary_family(metric, self._workers)
            elif metric.name in self._samples:
                kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
                family = kind(metric.name, metric.help, labels=metric.labels)
                for labels, value in self._samples[metric.name]:
                    family.add_metric(labels, value)
                yield family


def _own_samples(*, is_redis_up: bool) -> dict[str, list[Sample]]:
    return {
        "penstock_redis_up": [((), float(is_redis_up))],
        "penstock_build_info": [((_version(), platform.python_version()), 1)],
    }


def _function_samples(functions: Mapping[str, FunctionFigures]) -> dict[str, list[Sample]]:
    return {
        "penstock_invocations_total": [
            ((name, outcome), getattr(counted, outcome))
            for name, counted in functions.items()
            for outcome in _OUTCOMES
        ],
        "penstock_retries_total": [((name,), f.retried) for name, f in functions.items()],
        "penstock_lost_attempts_total": [((name,), f.lost) for name, f in functions.items()],
    }


def _queue_samples(
    figures: SystemMetrics, manifests: Mapping[str, Manifest]
) -> dict[str, list[Sample]]:
    named = {manifest.options.queue for manifest in manifests.values()} | {_DEFAULT_QUEUE}
    queues = [
        queue
        for queue in figures.queues
        if queue.name in named or queue.waiting or queue.scheduled or queue.running
    ]
    shown: dict[str, Callable[[QueueState], float]] = {
        "penstock_queue_depth": lambda queue: queue.waiting,
        "penstock_queue_scheduled": lambda queue: queue.scheduled,
        "penstock_queue_in_flight": lambda queue: queue.running,
        "penstock_queue_oldest_age_seconds": lambda queue: (queue.oldest_ms or 0) / _MS,
        "penstock_queue_paused": lambda queue: queue.is_paused,
    }
    return {
        name: [((queue.name,), value(queue)) for queue in queues] for name, value in shown.items()
    }


def _total_samples(
    figures: SystemMetrics, manifests: Mapping[str, Manifest]
) -> dict[str, list[Sample]]:
    totals = figures.totals
    oldest_ms = figures.oldest_delivery_ms or 0
    published = sum(bool(manifest.version) for manifest in manifests.values())
    broken = sum(manifest.error is not None for manifest in manifests.values())
    return {
        "penstock_take_overs_total": [((), totals["take_overs"])],
        "penstock_late_results_total": [((), totals["late_results"])],
        "penstock_deliveries_total": [
            ((outcome,), totals[f"deliveries_{outcome}"]) for outcome in _DELIVERY_OUTCOMES
        ],
        "penstock_deliveries_pending": [((), figures.pending_deliveries)],
        "penstock_delivery_oldest_pending_age_seconds": [((), oldest_ms / _MS)],
        "penstock_retention_overdue": [((), figures.overdue_records)],
        "penstock_quarantined_invocations": [((), figures.quarantined)],
        "penstock_workers": [((), figures.workers)],
        "penstock_functions": [((), published)],
        "penstock_functions_with_load_error": [((), broken)],
        "penstock_redis_errors_total": [
            ((kind,), totals[f"redis_errors_{kind}"]) for kind in KINDS
        ],
        "penstock_background_crashes_total": [((), totals["redis_errors_crash"])],
    }


def _environment_samples(
    workers: Workers, manifests: Mapping[str, Manifest]
) -> dict[str, list[Sample]]:
    """Return what is known of environments; one on several machines counts once."""
    reported = [details.environments for details in workers.values()]
    present = {each.key: each.bytes for one in reported for each in one.present}
    shown = [manifest.environment for manifest in manifests.values()]
    latest = max(
        (one for one in shown if one.state == "ready"),
        key=lambda one: one.built_at_ms,
        default=None,
    )
    return {
        "penstock_environments": [
            (("ready",), len(present)),
            (("building",), sum(one.building for one in reported)),
            (("failed",), sum(one.state == "failed" for one in shown)),
        ],
        "penstock_environment_bytes": [((), sum(present.values()))],
        "penstock_environment_build_seconds": [((), latest.seconds if latest else 0.0)],
    }


def _check_samples(stored: StoredCheck | None) -> dict[str, list[Sample]]:
    check = stored and read_summary(stored)
    left = check.left if check else {}
    ended_ms = (check and check.finished_at_ms) or 0
    return {
        "penstock_check_findings": [((kind,), left.get(kind, 0)) for kind in FINDING_KINDS],
        "penstock_check_finished_timestamp_seconds": [((), ended_ms / _MS)],
    }


def _worker_samples(workers: Workers) -> dict[str, list[Sample]]:
    return {
        "penstock_worker_in_flight": [
            ((name,), reported.held) for name, reported in workers.items()
        ],
        "penstock_worker_loop_lag_seconds": [
            ((name,), reported.loop.lag_ms_max / _MS)
            for name, reported in workers.items()
            if reported.loop
        ],
    }


def _summary_family(metric: Metric, workers: Workers) -> SummaryMetricFamily:
    family = SummaryMetricFamily(metric.name, metric.help, labels=metric.labels)
    for name, reported in workers.items():
        if reported.runner_wait is not None:
            family.add_metric([name], reported.runner_wait.count, reported.runner_wait.sum_s)
    return family


def _histogram_family(name: str, text: str, figures: SystemMetrics) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, text, labels=["function"])
    edges = [str(bound_ms / _MS) for bound_ms in figures.bounds_ms] + ["+Inf"]
    for function, counted in figures.functions.items():
        histogram = counted.run if name == "penstock_run_seconds" else counted.queue
        family.add_metric([function], _cumulate(edges, histogram), histogram.sum_ms / _MS)
    return family


def _cumulate(edges: list[str], histogram: Histogram) -> list[tuple[str, float]]:
    buckets, total = [], 0
    for edge, count in zip(edges, histogram.counts, strict=True):
        total += count
        buckets.append((edge, float(total)))
    return buckets


def _version() -> str:
    try:
        return version("penstock")
    except PackageNotFoundError:
        return "unknown"
