"""What /metrics counts of a whole system, against a count from outside."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.support.system import FINISHED, System
from tests.support.waiting import eventually

CALLS = 500
FUNCTIONS = ("hello", "raise_error", "reject", "witness")


def scrape(system: System) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = system.http.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def outcomes(system: System) -> Counter[tuple[str, str]]:
    """Return how often each of these functions has ended each way."""
    counts: Counter[tuple[str, str]] = Counter()
    for (name, labels), value in scrape(system).items():
        said = dict(labels)
        if name == "penstock_invocations_total" and said["function"] in FUNCTIONS:
            counts[said["function"], said["outcome"]] = int(value)
    return counts


def total(system: System, name: str, **labels: str) -> float:
    return scrape(system)[name, frozenset(labels.items())]


def test_outcomes_are_those_an_outside_count_finds(system: System):
    before = outcomes(system)
    runs_before = total(system, "penstock_run_seconds_count", function="hello")

    kinds = ("hello", "raise_error", "reject", "hello")
    ids = [system.call(kinds[number % 4]).json()["id"] for number in range(CALLS)]
    counted: Counter[tuple[str, str]] = Counter()
    for one in ids:
        found = system.finished(one)
        counted[found["function"], found["status"]] += 1

    assert counted.total() == CALLS
    assert outcomes(system) - before == counted
    ran = total(system, "penstock_run_seconds_count", function="hello") - runs_before
    assert ran == counted["hello", "succeeded"]
    assert total(system, "penstock_queue_depth", queue="default") == 0
    eventually(lambda: total(system, "penstock_queue_in_flight", queue="default") == 0)


def test_depth_and_in_flight_are_what_waits_and_runs(system: System, tmp_path: Path):
    file = tmp_path / "seen"
    running = [
        system.call("witness", number=number, file=str(file), pause_s=600).json()["id"]
        for number in range(3)
    ]
    eventually(lambda: file.exists() and file.read_text().count("began") == 3)
    system.http.patch("/queues/default", json={"paused": True})
    try:
        waiting = [system.call("hello").json()["id"] for _ in range(20)]

        assert total(system, "penstock_queue_depth", queue="default") == 20
        assert total(system, "penstock_queue_in_flight", queue="default") == 3
        assert total(system, "penstock_queue_paused", queue="default") == 1
        eventually(lambda: total(system, "penstock_queue_oldest_age_seconds", queue="default") > 0)
    finally:
        system.http.patch("/queues/default", json={"paused": False})
        for one in running:
            system.http.delete(f"/invocations/{one}")
    for one in [*running, *waiting]:
        assert system.finished(one)["status"] in FINISHED
    assert total(system, "penstock_queue_oldest_age_seconds", queue="default") == 0


def test_the_workers_of_the_system_are_up(system: System):
    functions = system.http.get("/functions").json()["items"]
    broken = [one for one in functions if one["error"]]

    assert total(system, "penstock_workers") == 2
    assert total(system, "penstock_functions_with_load_error") == len(broken)
    published = [one for one in functions if one["version"]]
    assert total(system, "penstock_functions") == len(published)
