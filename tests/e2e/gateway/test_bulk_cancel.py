"""Bulk cancel: whatever the number of fairness keys, all of it is found, counted and cancelled."""

from __future__ import annotations

import pytest

from tests.support.life import Life

MANY = 5_000


@pytest.fixture
def life(gateway) -> Life:
    return Life(gateway.connection)


def cancel_all(http, **query: str) -> int:
    """As clients do: page after page until there is no next one."""
    cancelled, cursor = 0, {}
    while True:
        answer = http.post("/invocations/cancel", params={**query, **cursor})
        assert answer.status_code == 202, answer.text
        cancelled += answer.json()["cancelled"]
        if answer.json()["next"] is None:
            return cancelled
        cursor = {"cursor": answer.json()["next"]}


@pytest.mark.timeout(120)
def test_calls_under_as_many_keys_are_all_cancelled(http, life: Life):
    for number in range(MANY):
        life.submit("greet", key=f"order-{number}", delay_ms=60_000 if number % 5 == 0 else 0)
    spared = life.submit("pictures.shrink", key="order-1")

    counted = http.get("/invocations/cancel", params={"function": "greet"}).json()
    queued = http.get(
        "/invocations/cancel", params={"function": "greet", "status": "queued"}
    ).json()
    cancelled = cancel_all(http, function="greet")

    assert (counted["count"], counted["more"]) == (MANY, False)
    assert queued["count"] == MANY * 4 // 5
    assert cancelled == MANY
    assert http.get("/invocations/cancel", params={"function": "greet"}).json()["count"] == 0
    assert http.delete(f"/invocations/{spared}").json()["status"] == "cancelled"


def test_statuses_may_be_repeated(http, life: Life):
    ids = [life.submit("greet", delay_ms=60_000) for _ in range(3)]
    ids += [life.submit("greet") for _ in range(2)]

    none = cancel_all(http, status="retrying,running", function="greet")
    answer = http.post("/invocations/cancel?function=greet&status=queued&status=scheduled")

    assert none == 0
    assert answer.json()["cancelled"] == 5
    assert http.post("/invocations/cancel?function=greet&status=failed").status_code == 422
    retried = http.post("/invocations/retry?function=greet&status=cancelled,expired&limit=2")
    assert retried.status_code == 202
