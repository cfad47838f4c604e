"""Batches: many calls at once, counted, called back, cancelled, retried."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options
from tests.e2e.gateway.answers import code_of
from tests.support.batch_rows import JSON, NDJSON, PATH, claim_rows, count_waiting
from tests.support.gateway_process import error_json
from tests.support.waiting import allowed

pytestmark = pytest.mark.usefixtures("rows")


def post_batch(http, count, **params):
    items = [{"width": number} for number in range(count)]
    answer = http.post(PATH, json=items, params=params)
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_an_array_is_a_batch(gateway, http):
    answer = http.post(PATH, content=b'[{"width": 1} , {"text":"\\u00e9","width":2}]', headers=JSON)

    batch = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/batches/{batch['id']}" == batch["links"]["self"]
    assert (batch["function"], batch["size"]) == ("rows", 2)
    assert batch["counts"]["queued"] == 2
    assert (batch["finished_at"], batch["callback"]) == (None, None)
    assert [one.arguments for one in claim_rows(gateway)] == [
        b'{"width": 1}',
        b'{"text":"\\u00e9","width":2}',
    ]


def test_lines_are_a_batch(gateway, http):
    lines = b'{"width": 1}\r\n\n  {"width": 2}\n{"width": 3}'

    answer = http.post(PATH, content=lines, headers=NDJSON)

    assert answer.json()["size"] == 3
    assert [json.loads(one.arguments)["width"] for one in claim_rows(gateway)] == [1, 2, 3]


def test_its_members_are_invocations_like_others(gateway, http):
    batch = post_batch(http, 3, tag=["a", "b"], priority=9, key="k", max_age="1h")

    page = http.get(f"/batches/{batch['id']}?limit=2")
    rest = http.get(f"/batches/{batch['id']}", params={"limit": 2, "cursor": page.json()["next"]})
    items = page.json()["items"] + rest.json()["items"]

    assert 'rel="next"' in page.headers["Link"]
    assert rest.json()["next"] is None
    assert [item["arguments"]["width"] for item in items] == [0, 1, 2]
    assert all(item["batch"] == batch["id"] for item in items)
    assert all(item["tags"] == ["a", "b"] for item in items)
    listed = http.get("/invocations?tag=b&function=rows&status=queued").json()["items"]
    assert sorted(item["id"] for item in listed) == [item["id"] for item in items]


def test_a_delayed_batch_is_scheduled(http):
    batch = post_batch(http, 2, delay="1h")

    cancelled = http.delete(f"/batches/{batch['id']}").json()

    assert batch["counts"]["scheduled"] == 2
    assert cancelled["counts"]["cancelled"] == cancelled["cancelled"] == 2


def test_counts_follow_the_members_until_all_have_ended(gateway, http):
    batch = post_batch(http, 3)
    first, second, third = claim_rows(gateway)

    gateway.finish(first, result=b"1")
    gateway.finish(second, "failed", error=error_json("exception", "no"))
    half = http.get(f"/batches/{batch['id']}").json()
    gateway.finish(third)
    whole = http.get(f"/batches/{batch['id']}").json()

    assert {k: v for k, v in half["counts"].items() if v} == {
        "succeeded": 1,
        "failed": 1,
        "running": 1,
    }
    assert half["finished_at"] is None
    assert whole["finished_at"] is not None
    assert "items" not in whole


def test_its_callback_is_one_delivery_when_the_last_has_ended(gateway, http):
    answer = http.post(
        PATH, json=[{"width": 1}, {"width": 2}], headers={"X-Callback-Url": "http://127.0.0.1:9/b"}
    )
    batch = answer.json()
    before = http.get(f"/batches/{batch['id']}").json()["callback"]

    for claimed in claim_rows(gateway):
        gateway.finish(claimed)
    after = http.get(f"/batches/{batch['id']}").json()["callback"]
    delivery = http.get(f"/deliveries/{after['delivery']}").json()
    again = http.post(f"/deliveries/{after['delivery']}/redeliver")

    assert (before["status"], before["delivery"]) == ("pending", None)
    assert (delivery["batch"], delivery["url"]) == (batch["id"], "http://127.0.0.1:9/b")
    assert again.status_code == 202


def test_a_repeated_batch_is_the_first(gateway, http):
    def ask(width, key="batch-1"):
        headers = {"Idempotency-Key": key}
        return http.post(PATH, json=[{"width": width}] * 3, headers=headers)

    first, again, other = ask(1), ask(1), ask(2)

    assert again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert code_of(other) == (422, "idempotency_key_reused")
    assert count_waiting(gateway) == 3


def test_a_batch_that_does_not_fit_is_refused_whole(gateway, http):
    gateway.publish(
        Manifest(name="narrow", version="n", file="n.py", options=Options(max_waiting=3))
    )

    full = http.post("/functions/narrow/batch", json=[{}] * 4)
    fits = http.post("/functions/narrow/batch", json=[{}] * 3)
    http.delete(f"/batches/{fits.json()['id']}")

    assert code_of(full) == (429, "queue_full")
    assert int(full.headers["Retry-After"]) >= 1
    assert fits.status_code == 202


def test_cancelling_ends_what_waits_and_tells_workers_of_what_runs(gateway, http):
    batch = post_batch(http, 5)
    running = claim_rows(gateway, 2)
    gateway.finish(running[0])

    answer = http.delete(f"/batches/{batch['id']}")
    gateway.finish(running[1], "cancelled")
    late = http.delete(f"/batches/{batch['id']}")

    assert answer.status_code == 202
    assert (answer.json()["cancelled"], answer.json()["cancelling"]) == (3, 1)
    assert code_of(late) == (409, "batch_finished")


def test_what_failed_is_retried_once(gateway, http):
    batch = post_batch(http, 6)
    for number, claimed in enumerate(claim_rows(gateway)):
        how = {"status": "failed", "error": error_json("exception", "no")} if number % 2 else {}
        gateway.finish(claimed, **how)

    first = http.post(f"/batches/{batch['id']}/retry?status=failed&limit=2")
    rest = http.post(f"/batches/{batch['id']}/retry", params={"cursor": first.json()["next"]})
    again = http.post(f"/batches/{batch['id']}/retry?status=failed")

    assert first.status_code == 202
    assert (first.json()["count"], rest.json()["count"]) == (2, 1)
    assert again.json() == {"count": 0, "skipped": 0, "next": None}
    retried = [json.loads(one.arguments)["width"] for one in claim_rows(gateway)]
    assert sorted(retried) == [1, 3, 5]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "?limit=3"), ("DELETE", ""), ("POST", "/retry")]
)
def test_a_batch_that_is_not_there_is_unknown_or_gone(http, method, path):
    unknown = http.request(method, f"/batches/nobody{path}")
    gone = http.request(method, f"/batches/{new_invocation_id()}{path}")

    assert code_of(unknown) == (404, "batch_not_found")
    assert code_of(gone) == (410, "batch_gone")


@pytest.mark.parametrize(
    ("path", "pointer"),
    [("?limit=0", "?limit"), ("?cursor=x", "?cursor"), ("?limit=101", "?limit")],
)
def test_a_page_is_asked_for_strictly(http, path, pointer):
    batch = post_batch(http, 1)

    answer = http.get(f"/batches/{batch['id']}{path}")

    assert answer.json()["errors"][0]["pointer"] == pointer


def test_ten_thousand_are_taken_while_others_are_served(gateway, http, report):
    items = [{"width": number, "text": "x" * 200} for number in range(10_000)]
    body = json.dumps(items).encode()
    http.get("/livez")

    with ThreadPoolExecutor(1) as pool:
        began_at = time.perf_counter()
        batch = pool.submit(lambda: http.post(PATH, content=body, headers=JSON))
        longest_s = 0.0
        while not batch.done():
            asked_at = time.perf_counter()
            assert http.get("/livez").status_code == 200
            longest_s = max(longest_s, time.perf_counter() - asked_at)
        took_s = time.perf_counter() - began_at

    assert batch.result().status_code == 202, batch.result().text
    assert batch.result().json()["size"] == 10_000
    assert count_waiting(gateway) == 10_000
    assert took_s < allowed(2)
    assert longest_s < allowed(0.25)
    cancelled = http.delete(f"/batches/{batch.result().json()['id']}").json()
    assert cancelled["cancelled"] == 10_000
    report(f"batch of 10,000: {took_s:.2f} s, longest look {longest_s * 1000:.0f} ms")
