"""Damaged records and a Redis that may evict: workers start and run, and people are told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.store.redis_keys import Keys
from tests.support.system import System, running_system
from tests.support.waiting import eventually

KEYS = Keys()


@contextmanager
def doubling(folder: Path) -> Iterator[System]:
    """Run a system with one worker and one function."""
    functions = folder / "functions"
    functions.mkdir()
    (functions / "double.py").write_text("def double(n: int) -> int:\n    return 2 * n\n")
    with running_system(folder, "--workers", "1", functions=functions) as system:
        yield system


def hurt(system: System, invocation_id: str, *, lacks: str) -> None:
    """Cut a field of a record, or all of it."""
    record = KEYS.build("record", invocation_id)
    words = ("DEL", record) if lacks == "all" else ("HDEL", record, lacks)
    assert system.run_command(*words) == 1


def test_damaged_records_are_shown_everywhere_and_no_other_call_is_harmed(tmp_path: Path) -> None:
    with doubling(tmp_path) as system:
        assert system.http.get("/readyz").json()["warnings"] == []
        assert system.http.get("/quarantine").json() == {"count": 0, "items": [], "next": None}
        system.http.patch("/queues/default", json={"paused": True}).raise_for_status()
        ids = [system.call("double", n=n).json()["id"] for n in range(6)]
        for one, lacks in zip(ids[1:4], ("all", "function", "created_at"), strict=True):
            hurt(system, one, lacks=lacks)

        system.http.patch("/queues/default", json={"paused": False}).raise_for_status()

        for one in (ids[0], *ids[4:]):
            assert system.finished(one)["status"] == "succeeded"
        reported = eventually(lambda: three(system))
        assert {item["id"] for item in reported["items"]} == set(ids[1:4])
        assert all(item["reason"] for item in reported["items"])
        assert [w["code"] for w in system.http.get("/readyz").json()["warnings"]] == [
            "invocations_set_aside"
        ]
        metrics = system.http.get("/metrics").text
        assert re.search(r"^penstock_quarantined_invocations 3\.0$", metrics, re.MULTILINE)
        assert system.http.get(f"/invocations/{ids[1]}").status_code in {404, 410}
        assert system.invocation(ids[2])["status"] == "failed"
        assert system.invocation(ids[2])["error"]["type"] == "record_damaged"
        assert system.invocation(ids[3])["status"] == "failed"
        listed = system.http.get("/invocations?status=failed").json()["items"]
        assert {ids[2], ids[3]} <= {item["id"] for item in listed}


def three(system: System) -> dict[str, object] | None:
    reported = system.http.get("/quarantine").json()
    return reported if reported["count"] == 3 else None


def test_a_worker_starts_and_runs_calls_where_looking_after_others_fails(tmp_path: Path) -> None:
    with doubling(tmp_path) as system:
        [before] = worker_ids(system)
        system.run_command("SET", KEYS.build("expiring"), "not a sorted set")
        [worker] = system.parts("worker")
        worker.kill()

        [after] = eventually(lambda: worker_ids(system) - {before}, within_s=10)

        assert re.fullmatch(r".+-\d+-[0-9a-f]{8}", after)
        assert system.call("double", wait_s=15, n=21).json()["result"] == 42
        eventually(lambda: re.search("upkeep_failed.*take_over", system.read_log()))


def worker_ids(system: System) -> set[str]:
    return {item["id"] for item in system.http.get("/workers").json()["items"]}


def test_a_redis_that_may_evict_is_told_by_workers_and_readiness(tmp_path: Path) -> None:
    with doubling(tmp_path) as system:
        assert "redis_may_evict" not in system.read_log()
        system.run_command("CONFIG", "SET", "maxmemory-policy", "volatile-lru")

        [warning] = system.http.get("/readyz").json()["warnings"]
        [worker] = system.parts("worker")
        worker.kill()

        assert warning["code"] == "redis_may_evict"
        assert "volatile-lru" in warning["detail"]
        eventually(lambda: "redis_may_evict" in system.read_log(), within_s=15)
        assert system.call("double", wait_s=15, n=1).json()["result"] == 2
