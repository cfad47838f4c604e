"""A batch in the whole system: run by workers, told of once, retried."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.conftest import WEBHOOK_SECRET
from tests.support.system import System
from tests.support.verifying_receiver import receiver_process
from tests.support.waiting import eventually


def test_a_batch_runs_and_calls_back_once_with_its_counts(system: System, tmp_path: Path) -> None:
    system.write(
        "picky",
        """
        def picky(n: int) -> int:
            if n % 10 == 3:
                raise ValueError("not this one")
            return n * n
        """,
    )
    eventually(lambda: system.call("picky", n=1, wait_s=10).status_code == 200, within_s=10)

    with receiver_process(tmp_path, WEBHOOK_SECRET) as receiver:
        answer = system.http.post(
            "/functions/picky/batch",
            content="\n".join(json.dumps({"n": n}) for n in range(100)),
            headers={"Content-Type": "application/x-ndjson", "X-Callback-Url": receiver.url},
        )
        batch_id = answer.json()["id"]
        batch = eventually(lambda: system.finished_batch(batch_id), within_s=30)
        delivery = receiver.delivery_of(batch_id)
        retried = system.http.post(f"/batches/{batch_id}/retry?status=failed").json()
        again = system.http.post(f"/batches/{batch_id}/retry?status=failed").json()
        items = system.http.get(f"/batches/{batch_id}?limit=100").json()["items"]
        deliveries = receiver.deliveries()

    assert {k: n for k, n in batch["counts"].items() if n} == {"succeeded": 90, "failed": 10}
    assert delivery["valid"]
    body = json.loads(delivery["body"]) if isinstance(delivery["body"], str) else delivery["body"]
    assert body["type"] == "batch.finished"
    assert body["data"]["counts"] == batch["counts"]
    assert body["data"]["id"] == batch_id
    assert len(deliveries) == 1
    assert (retried["count"], again["count"]) == (10, 0)
    assert [item["result"] for item in items[:3]] == [0, 1, 4]
