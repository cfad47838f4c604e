"""The shipped functions on input as the world sends it; results by wait, poll and callback."""

from __future__ import annotations

import base64
import csv
import io
import json
import random
import statistics
import uuid
from collections.abc import Iterator
from urllib.parse import urlencode

import githubkit.webhooks
import httpx
import pytest
from PIL import Image

from tests.e2e.conftest import GITHUB_SECRET, WEBHOOK_SECRET
from tests.support.system import System
from tests.support.verifying_receiver import Receiver, receiver_process


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver_process(tmp_path_factory.mktemp("receiver"), WEBHOOK_SECRET) as running:
        yield running


def post_webhook(system: System, event: str, body: bytes, **headers: str) -> httpx.Response:
    return system.http.post(
        "/functions/github_digest",
        content=body,
        headers={
            "Accept": "*/*",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-GitHub-Event": event,
            "X-GitHub-Hook-ID": "292430182",
            "X-Hub-Signature-256": githubkit.webhooks.sign(GITHUB_SECRET, body),
        }
        | headers,
    )


def test_a_webhook_posted_as_github_does_it_is_accepted_and_digested(system: System) -> None:
    payload = {
        "action": "opened",
        "issue": {"number": 3, "title": "Ünïcode breaks"},
        "repository": {"full_name": "octo/repo"},
        "sender": {"login": "octocat"},
    }

    answer = post_webhook(
        system, "issues", json.dumps(payload).encode(), **{"Content-Type": "application/json"}
    )

    assert answer.status_code == 202
    assert system.finished(answer.json()["id"])["result"] == (
        "octocat opened issue #3 in octo/repo: Ünïcode breaks"
    )


def test_a_webhook_sent_as_a_form_is_digested_too(system: System) -> None:
    payload = {"action": "created", "repository": {"full_name": "octo/repo"}}
    body = urlencode({"payload": json.dumps(payload)}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded", "Prefer": "wait=10"}

    answer = post_webhook(system, "star", body, **form)

    assert answer.status_code == 200, answer.text
    assert answer.json()["result"] == "somebody starred octo/repo"


def test_a_table_sent_as_it_is_comes_back_described(system: System) -> None:
    rng = random.Random(3)
    rows = [(number, rng.gauss(50, 9), rng.choice(("north", "south"))) for number in range(500)]
    table = io.StringIO()
    csv.writer(table).writerows([("id", "height", "side"), *rows])

    answer = system.http.post(
        "/functions/csv_report",
        content=table.getvalue().encode(),
        headers={"Content-Type": "text/csv", "Prefer": "wait=10"},
    )

    assert answer.status_code == 200, answer.text
    report = answer.json()["result"]
    assert [column["type"] for column in report["columns"]] == ["integer", "number", "text"]
    assert report["rows"] == 500
    mean = report["columns"][1]["numbers"]["mean"]
    assert mean == pytest.approx(statistics.mean(row[1] for row in rows))


def test_a_picture_comes_back_as_a_smaller_png(system: System) -> None:
    answer = system.http.post(
        "/functions/thumbnail", content=draw_picture(), headers={"Content-Type": "image/jpeg"}
    )
    invocation = system.finished(answer.json()["id"])

    result = system.http.get(invocation["links"]["result"])

    assert result.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(result.content)).size == (320, 240)
    assert base64.b64decode(invocation["result"]) == result.content


def test_results_arrive_at_a_separate_process_that_verifies_their_signatures(
    system: System, receiver: Receiver
) -> None:
    calls = {
        "hello": {"json": {"name": "Ada"}},
        "csv_report": {"content": b"a,b\n1,2\n", "headers": {"Content-Type": "text/csv"}},
        "thumbnail": {"content": draw_picture(), "headers": {"Content-Type": "image/jpeg"}},
        "countdown": {"json": {"start": 2, "pause_s": 0.01}},
        "raise_error": {"json": {}},
    }

    ids = {}
    for name, call in calls.items():
        headers = call.pop("headers", {}) | {"X-Callback-Url": receiver.url}
        answer = system.http.post(f"/functions/{name}", headers=headers, **call)
        assert answer.status_code == 202, answer.text
        ids[name] = answer.json()["id"]

    for name, invocation_id in ids.items():
        delivery = receiver.delivery_of(invocation_id)
        status = "failed" if name == "raise_error" else "succeeded"
        assert delivery["valid"]
        assert delivery["headers"]["x-function-name"] == name
        assert delivery["headers"]["x-function-status"] == status
        assert delivery["body"]["type"] == f"invocation.{status}"
        assert delivery["body"]["data"]["id"] == invocation_id
    assert receiver.delivery_of(ids["hello"])["body"]["data"]["result"] == "Hello, Ada!"


def draw_picture() -> bytes:
    target = io.BytesIO()
    Image.effect_noise((640, 480), 60).convert("RGB").save(target, "JPEG")
    return target.getvalue()
