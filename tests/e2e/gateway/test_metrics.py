"""GET /metrics, read by Prometheus's own parser."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics.table import METRICS
from runtime.store.invocation_commands import retire_worker
from runtime.store.scripts import Command
from runtime.worker.description import LoopLag, RunnerWait, WorkerLoad, describe_worker
from tests.e2e.gateway.conftest import FUNCTIONS
from tests.support.gateway_process import RunningGateway, running_gateway
from tests.support.redis_server import own_redis
from tests.support.waiting import eventually

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(http: httpx.Client) -> Samples:
    answer = http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def test_every_metric_of_the_table_is_there_as_the_table_says(http: httpx.Client):
    families = list(text_string_to_metric_families(http.get("/metrics").text))

    shown = {
        (f.name + ("_total" if f.type == "counter" else ""), f.type, f.documentation)
        for f in families
    }
    assert shown == {(metric.name, metric.kind, metric.help) for metric in METRICS}
    for family in families:
        [row] = [m for m in METRICS if m.name.removesuffix("_total") == family.name]
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(row.labels)


def test_endings_waiting_and_running_are_what_happened(gateway: RunningGateway, http: httpx.Client):
    before = scrape(http)
    for _ in range(4):
        http.post("/functions/greet", json={"name": "you"})
    for status in ("succeeded", "failed"):
        gateway.finish(gateway.claim(), status)
    running = gateway.claim()

    now = scrape(http)

    def grown(name: str, **labels: str) -> float:
        return value(now, name, **labels) - value(before, name, **labels)

    assert grown("penstock_invocations_total", function="greet", outcome="succeeded") == 1
    assert grown("penstock_invocations_total", function="greet", outcome="failed") == 1
    assert grown("penstock_run_seconds_count", function="greet") == 2
    assert grown("penstock_run_seconds_bucket", function="greet", le="+Inf") == 2
    assert value(now, "penstock_queue_depth", queue="default") == 1
    assert value(now, "penstock_queue_in_flight", queue="default") == 1
    assert value(now, "penstock_functions") == 3
    assert value(now, "penstock_functions_with_load_error") == 1
    gateway.finish(running)
    gateway.finish(gateway.claim())


def test_workers_are_as_they_told_with_their_last_heartbeat(
    gateway: RunningGateway, http: httpx.Client, beat: Callable[[str, bytes], None]
):
    reported = WorkerLoad(
        in_flight=37,
        max_in_flight=1000,
        loop=LoopLag(lag_ms_max=12.5, lag_ms_mean=0.5),
        runner_wait=RunnerWait(count=3, sum_s=1.5),
    )
    details = describe_worker(
        queues=(), running=(), load=reported, publishes=False, functions={}, memory_bytes=1
    )
    for worker, said in (("w-new", details), ("w-old", b'{"host": "old.example"}')):
        beat(worker, said)

    samples = scrape(http)
    for worker in ("w-new", "w-old"):
        gateway.connection.run(retire_worker(worker))

    assert value(samples, "penstock_worker_in_flight", worker="w-new") == 37
    assert value(samples, "penstock_worker_loop_lag_seconds", worker="w-new") == 0.0125
    assert value(samples, "penstock_runner_wait_seconds_count", worker="w-new") == 3
    assert value(samples, "penstock_runner_wait_seconds_sum", worker="w-new") == 1.5
    assert {name for name, labels in samples if ("worker", "w-old") in labels} == {
        "penstock_worker_in_flight"
    }
    assert not [labels for _, labels in scrape(http) if dict(labels).get("worker")]


def test_labels_are_functions_that_exist(http: httpx.Client):
    functions = {dict(labels).get("function") for _, labels in scrape(http)}

    assert functions == {None, *(manifest.name for manifest in FUNCTIONS)}


def test_openmetrics_is_answered_to_those_who_ask_for_it(http: httpx.Client):
    answer = http.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_promtool_finds_nothing_to_lint(http: httpx.Client):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here")

    text = http.get("/metrics").content
    answer = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )

    assert answer.returncode == 0, answer.stderr.decode()


def test_without_redis_it_says_so_and_counts_the_errors_for_later(tmp_path):
    with own_redis(tmp_path) as url, running_gateway(url, gateways=1) as gateway:
        gateway.publish(*FUNCTIONS)
        with httpx.Client(base_url=gateway.url, timeout=20) as http:
            assert value(scrape(http), "penstock_redis_up") == 1
            gateway.connection.run(Command(("CLIENT", "PAUSE", 2500), lambda reply: reply))
            away = scrape(http)
            assert {name for name, _ in away} == {"penstock_redis_up", "penstock_build_info"}
            assert value(away, "penstock_redis_up") == 0

            def errors() -> float:
                samples = scrape(http)
                if not value(samples, "penstock_redis_up"):
                    return 0
                return value(samples, "penstock_redis_errors_total", kind="unavailable")

            assert eventually(errors, within_s=15, every_s=0.25) >= 1


def test_two_gateway_processes_tell_the_same(tmp_path):
    with own_redis(tmp_path) as url, running_gateway(url, gateways=2) as gateway:
        gateway.publish(*FUNCTIONS)
        for _ in range(3):
            httpx.post(f"{gateway.url}/functions/greet", json={"name": "you"})
            gateway.finish(gateway.claim())

        reported: Counter[float] = Counter()
        for _ in range(20):
            with httpx.Client(base_url=gateway.url) as http:
                labels = {"function": "greet", "outcome": "succeeded"}
                reported[value(scrape(http), "penstock_invocations_total", **labels)] += 1

        assert reported == {3.0: 20}
