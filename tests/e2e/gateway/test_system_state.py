"""Queues and workers over HTTP, and what a function's statistics count."""

from __future__ import annotations

import msgspec
import pytest

from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.sdk.options import Options
from runtime.store.function_commands import publish_function
from runtime.store.invocation_commands import claim
from tests.e2e.gateway.answers import code_of
from tests.support.gateway_process import error_json

SLOW = Manifest(name="slow", version="s1", file="slow.py", options=Options(queue="slow"))


@pytest.fixture(autouse=True)
def slow(gateway):
    gateway.connection.run(
        publish_function(
            "slow",
            manifest=encode_manifest(SLOW),
            version="s1",
            source=b"",
            queue="slow",
            limits="",
        )
    )
    gateway.publish(SLOW)


FOLDER = {
    "folder": "/functions",
    "state": "differs",
    "files": 3,
    "digest": "0123456789ab",
    "differing": ["slow.py"],
}


RUNNERS = [
    {"pid": 81, "function": "slow", "version": "s1", "in_flight": 37, "window": 100},
    {"pid": 82, "function": "", "version": "", "in_flight": 0, "window": 1},
]
TOLD = {
    "host": "one.example",
    "pid": 77,
    "queues": ["default", "slow"],
    "running": [{"id": "i", "function": "slow", "started_at_ms": 1_763_803_800_123}],
    "in_flight": 37,
    "max_in_flight": 1000,
    "runners": RUNNERS,
    "loop": {"lag_ms_max": 12.5, "lag_ms_mean": 0.25},
    "runner_wait": {"count": 3, "sum_s": 1.5},
    "memory_bytes": 12_345_678,
    "publishes": True,
    "functions": FOLDER,
    "environments": {"ready": ["0123456789abcdef"], "building": 1},
}


@pytest.fixture
def worker(beat):
    beat("w-77", msgspec.json.encode(TOLD))
    return "w-77"


def shown_worker(http, worker):
    [shown] = [item for item in http.get("/workers").json()["items"] if item["id"] == worker]
    return shown


def queue(http, name="slow"):
    [found] = [item for item in http.get("/queues").json()["items"] if item["name"] == name]
    return found


def claimed(gateway):
    return gateway.connection.run(
        claim(queue="slow", worker="w-1", limit=10, lease_ms=60_000)
    ).items


def test_a_worker_is_shown_as_it_told(http, worker):
    body = http.get("/workers").json()

    [shown] = [item for item in body["items"] if item["id"] == worker]
    assert body["next"] is None
    assert shown.pop("started_at") <= shown.pop("last_seen_at")
    assert shown == {
        **TOLD,
        "id": "w-77",
        "running": [{"id": "i", "function": "slow", "started_at": "2025-11-22T09:30:00.123Z"}],
    }


def test_a_worker_of_an_older_release_is_shown_too(beat, http):
    running = [{"id": "i", "function": "slow", "started_at_ms": 1_763_803_800_123}]
    details = {"host": "old.example", "pid": 78, "queues": [], "running": running}
    beat("w-78", msgspec.json.encode(details))

    shown = shown_worker(http, "w-78")

    assert shown["publishes"] is False
    assert shown["functions"]["state"] == "unknown"
    assert (shown["in_flight"], shown["max_in_flight"], shown["runners"]) == (1, None, [])
    assert shown["loop"] is shown["runner_wait"] is None
    assert shown["environments"] == {"ready": [], "building": 0}


def test_a_worker_of_a_newer_release_is_shown_too(beat, http):
    more = {"more": 1, "runners": [{**RUNNERS[0], "more": 1}], "loop": {"lag_ms_p95": 3}}
    beat("w-79", msgspec.json.encode({**TOLD, **more}))

    shown = shown_worker(http, "w-79")

    assert shown["runners"] == RUNNERS[:1]
    assert shown["loop"] == {"lag_ms_max": 0.0, "lag_ms_mean": 0.0}


@pytest.mark.parametrize("details", [b"{", b'{"pid": "x"}', b'{"runners": 3}'])
def test_a_worker_that_cannot_be_read_hides_no_other(beat, http, worker, details):
    beat("w-80", details)

    assert shown_worker(http, worker)["in_flight"] == 37
    assert shown_worker(http, "w-80")["pid"] == 0
    assert http.get("/metrics").status_code == http.get("/queues").status_code == 200


def test_a_queue_shows_what_waits_and_runs(gateway, http, worker):
    assert worker
    for _ in range(3):
        http.post("/functions/slow", json={})
    http.post("/functions/slow?delay=1h", json={})
    [one] = gateway.connection.run(
        claim(queue="slow", worker="w-1", limit=1, lease_ms=60_000)
    ).items

    shown = queue(http)
    gateway.finish(one)
    purged = http.delete("/queues/slow/invocations")

    assert shown.pop("oldest_ms") >= 0
    assert shown == {
        "name": "slow",
        "paused": False,
        "depth": 2,
        "scheduled": 1,
        "in_flight": 1,
        "workers": 1,
    }
    assert (purged.status_code, purged.json()) == (200, {"cancelled": 3})
    assert queue(http)["depth"] == queue(http)["scheduled"] == 0
    assert queue(http)["oldest_ms"] is None


def test_nothing_of_a_paused_queue_starts(gateway, http):
    answer = http.patch("/queues/slow", json={"paused": True})
    accepted = http.post("/functions/slow", json={})
    while_paused = claimed(gateway)
    resumed = http.patch("/queues/slow", json={"paused": False})
    after = claimed(gateway)

    assert (answer.status_code, answer.json()["paused"]) == (200, True)
    assert accepted.status_code == 202
    assert while_paused == ()
    assert resumed.json()["paused"] is False
    assert [one.id for one in after] == [accepted.json()["id"]]
    gateway.finish(after[0])


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b"{}", ["/paused"]),
        (b'{"paused": 1}', ["/paused"]),
        (b'{"paused": "yes"}', ["/paused"]),
        (b'{"paused": true, "depth": 0}', ["/depth"]),
    ],
)
def test_a_change_of_a_queue_is_read_strictly(http, body, pointers):
    answer = http.patch("/queues/slow", content=body)

    assert code_of(answer) == (422, "arguments_invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


def test_what_is_no_queue_is_404(http):
    assert code_of(http.patch("/queues/x", json={"paused": True})) == (404, "queue_not_found")
    assert code_of(http.delete("/queues/x/invocations")) == (404, "queue_not_found")
    assert code_of(http.patch("/queues/slow", content=b"[")) == (400, "invalid_json")
    assert code_of(http.get("/queues/slow")) == (405, "method_not_allowed")


def test_a_function_counts_how_its_calls_ended(gateway, http):
    before = http.get("/functions/slow").json()["stats"]
    for _ in range(3):
        http.post("/functions/slow", json={})
    first, second, third = claimed(gateway)
    gateway.finish(first)
    gateway.finish(second, "failed", error=error_json("exception", "no"))
    gateway.finish(third, "cancelled")
    http.post("/functions/slow", json={})

    after = http.get("/functions/slow").json()["stats"]
    http.delete("/queues/slow/invocations")

    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown == {"succeeded": 1, "failed": 1, "cancelled": 1, "waiting": 1}
