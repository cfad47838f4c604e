"""Webhooks as senders sign them, at a system that asks everybody else for a key."""

from __future__ import annotations

import itertools
import json
import random
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import httpx
import pytest

from runtime.store.blocking_connection import BlockingConnection
from tests.e2e.conftest import copy_functions
from tests.support.api_keys import make_key
from tests.support.signers import (
    SECRET,
    STANDARD_SECRET,
    Headers,
    sign_github,
    sign_slack,
    sign_standard,
    sign_stripe,
)
from tests.support.system import System, running_system
from tests.support.waiting import eventually

JSON = {"Content-Type": "application/json"}
WAIT = {"Prefer": "wait=20"}
STRIPE_SECRET = f"whsec_{SECRET}"
PAYMENT = """
from pathlib import Path
from penstock import function

@function(verify="standard:PAY")
def payment(n: int) -> int:
    with Path({runs!r}).open("a") as runs:
        runs.write(f"{{n}}\\n")
    return n


@function(verify="standard:PAY")
def payment_by_ledger(n: int) -> str:
    ledger = Path({runs!r}).with_name("ledger.txt")
    if not ledger.exists():
        ledger.touch()
        raise OSError("the ledger was away")
    return f"booked {{n}}"
"""


class Posted(NamedTuple):
    """One request of the thousand, and what it is."""

    kind: str
    number: int
    body: bytes
    headers: Headers


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs") / "runs.txt"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, runs: Path) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("webhooks")
    functions = copy_functions(folder / "functions")
    (functions / "payment.py").write_text(PAYMENT.format(runs=str(runs)))
    with running_system(
        folder,
        functions=functions,
        environment={
            "PENSTOCK_AUTH": "required",
            "PENSTOCK_SECRET_GITHUB": f"the next one,{SECRET}",
            "PENSTOCK_SECRET_PAY": STANDARD_SECRET,
            "PENSTOCK_SECRET_SLACK": SECRET,
            "PENSTOCK_SECRET_STRIPE": STRIPE_SECRET,
        },
    ) as system:
        connection = BlockingConnection(f"unix://{system.redis_socket}")
        system.http.headers.update(make_key(connection, "admin", "admin").headers)
        connection.close()
        for name in (
            "payment",
            "payment_by_ledger",
            "github_digest",
            "stripe_events",
            "slack_command",
        ):
            eventually(lambda name=name: system.http.get(f"/functions/{name}").is_success)
        yield system


@pytest.fixture
def sender(closed: System) -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client(base_url=closed.base_url, timeout=30, trust_env=False) as client:
        yield client


def redis_s(system: System) -> int:
    return int(system.run_command("TIME")[0])


def draw(kind: str, number: int, at_s: int) -> Posted:
    body = json.dumps({"n": number}).encode()
    headers = sign_standard(body, at_s, STANDARD_SECRET, f"msg_{number}")
    if kind == "tampered":
        body = json.dumps({"n": number + 1}).encode()
    return Posted(kind, number, body, headers)


def draw_thousand(now_s: int) -> list[Posted]:
    """Return a thousand requests in any order: 700 right ones, and 100 of each other kind."""
    chance = random.Random(16)
    away = itertools.cycle((-900, 900))
    right = [draw("right", number, now_s) for number in range(700)]
    posts = [
        *right,
        *(draw("tampered", number, now_s) for number in range(700, 800)),
        *(draw("stale", number, now_s + next(away)) for number in range(800, 900)),
        *(post._replace(kind="repeated") for post in chance.sample(right, 100)),
    ]
    chance.shuffle(posts)
    return posts


def test_of_a_thousand_signed_posts_exactly_the_right_ones_run_once(
    closed: System, sender: httpx.Client, runs: Path
):
    posts = draw_thousand(redis_s(closed))

    def post(one: Posted) -> httpx.Response:
        return sender.post("/functions/payment", content=one.body, headers={**JSON, **one.headers})

    with ThreadPoolExecutor(8) as pool:
        answers = list(zip(posts, pool.map(post, posts), strict=True))

    assert Counter((one.kind, answer.status_code) for one, answer in answers) == {
        ("right", 202): 700,
        ("repeated", 202): 100,
        ("tampered", 401): 100,
        ("stale", 401): 100,
    }
    accepted = [(one, answer) for one, answer in answers if answer.status_code == 202]
    refused = {answer.json()["code"] for _, answer in answers if answer.status_code == 401}
    assert refused == {"signature_invalid"}
    ids = {(one.number, answer.json()["id"]) for one, answer in accepted}
    assert len(ids) == 700
    assert sum("Idempotency-Replayed" in answer.headers for _, answer in accepted) == 100

    def stats() -> dict[str, int]:
        found: dict[str, int] = closed.http.get("/functions/payment").json()["stats"]
        return found

    eventually(lambda: stats()["succeeded"] >= 700, within_s=30)
    assert stats() == dict.fromkeys(stats(), 0) | {"succeeded": 700}
    assert sorted(map(int, runs.read_text().split())) == list(range(700))


def test_what_github_posts_is_digested_and_shown_with_its_sender(
    closed: System, sender: httpx.Client
):
    body = json.dumps({"action": "created", "repository": {"full_name": "octo/repo"}}).encode()
    headers = {**JSON, **WAIT, "X-GitHub-Event": "star", **sign_github(body, 0, SECRET)}

    answer = sender.post("/functions/github_digest", content=body, headers=headers)

    assert answer.status_code == 200, answer.text
    assert answer.json()["result"] == "somebody starred octo/repo"
    assert closed.invocation(answer.json()["id"])["caller"] == "webhook:github"
    shown = closed.http.get("/functions/github_digest").json()["verification"]
    assert shown == {"scheme": "github", "secret": "GITHUB", "is_set": True}


def test_what_stripe_posts_again_is_summarized_once(closed: System, sender: httpx.Client):
    event = {
        "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy",
        "object": "event",
        "type": "invoice.payment_failed",
        "data": {"object": {"id": "in_1", "amount_due": 99, "currency": "usd", "customer": "c"}},
    }
    body, now_s = json.dumps(event).encode(), redis_s(closed)

    first, again = (
        sender.post(
            "/functions/stripe_events",
            content=body,
            headers={**JSON, **WAIT, **sign_stripe(body, now_s - ago_s, STRIPE_SECRET)},
        )
        for ago_s in (60, 0)
    )

    assert first.json()["result"]["summary"] == "remind c: 0.99 USD of in_1 failed"
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"


def test_what_slack_posts_as_a_form_becomes_a_poll(closed: System, sender: httpx.Client):
    fields = {"command": "/poll", "text": "Lunch? Pizza, Sushi", "user_id": "U1"}
    body = urlencode(fields).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    signed = sign_slack(body, redis_s(closed), SECRET)

    answer = sender.post(
        "/functions/slack_command", content=body, headers={**form, **WAIT, **signed}
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["response_type"] == "in_channel"


def test_a_long_body_is_read_if_it_is_signed(sender: httpx.Client):
    body = json.dumps({"action": "x", "zen": "z" * 300_000}).encode()
    too_long = b"x" * 1_100_000
    event = {**JSON, **WAIT, "X-GitHub-Event": "star"}
    path = "/functions/github_digest"

    signed = {**event, **sign_github(body, 0, SECRET, "a long one")}
    whole = sender.post(path, content=body, headers=signed)
    chunked = sender.post(path, content=iter([body]), headers=signed)
    refused = sender.post(path, content=too_long, headers=sign_github(too_long, 0, SECRET))

    assert (whole.status_code, chunked.status_code) == (200, 200), chunked.text
    assert chunked.headers["Idempotency-Replayed"] == "true"
    assert refused.status_code == 413


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("X-Other: 1", b"unauthenticated"),
        ("X-Hub-Signature-256: sha256=short", b"signature_invalid"),
    ],
)
@pytest.mark.parametrize("framing", ["Content-Length: 900000", "Transfer-Encoding: chunked"])
def test_a_stranger_is_refused_before_the_body_is_sent(
    closed: System, header: str, code: bytes, framing: str
):
    url = httpx.URL(closed.base_url)
    lines = ["POST /functions/github_digest HTTP/1.1", "Host: localhost", framing, header, "", ""]

    with socket.create_connection((url.host, url.port), timeout=10) as sock:
        sock.sendall("\r\n".join(lines).encode())
        answer = sock.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert code in answer


def test_the_secrets_reach_the_gateway_and_no_other_process(closed: System):
    [gateway] = closed.parts("gateway")
    others = [*closed.parts("worker"), *closed.parts("redis"), *closed.runners()]

    holders = [one for one in others if "PENSTOCK_SECRET_GITHUB" in one.environ()]

    assert len(others) > 3
    assert holders == []
    assert "PENSTOCK_SECRET_GITHUB" in gateway.environ()
    assert SECRET not in closed.read_log()


def test_without_an_envelope_slack_gets_its_answer_and_its_challenge(
    closed: System, sender: httpx.Client
):
    command = urlencode({"command": "/poll", "text": "Lunch? Pizza, Sushi"}).encode()
    challenge = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    path, now_s = "/function/slack_command", redis_s(closed)

    def count() -> int:
        return len(closed.http.get("/invocations?function=slack_command").json()["items"])

    answered = sender.post(
        path, content=command, headers={**form, **sign_slack(command, now_s, SECRET)}
    )
    before = count()
    challenged = sender.post(
        path, content=challenge, headers={**JSON, **sign_slack(challenge, now_s, SECRET)}
    )

    assert answered.json()["response_type"] == "in_channel"
    assert (challenged.status_code, challenged.text) == (200, "3eZbrw1a")
    assert count() == before


def test_without_an_envelope_what_failed_runs_when_its_sender_sends_it_again(
    closed: System, sender: httpx.Client
):
    body = b'{"n": 1}'
    signed = {**JSON, **sign_standard(body, redis_s(closed), STANDARD_SECRET, "msg_ledger")}

    failed, booked, again = (
        sender.post("/function/payment_by_ledger", content=body, headers=signed) for _ in range(3)
    )

    assert failed.status_code == 500
    assert "the ledger was away" in failed.text
    assert (booked.status_code, booked.text) == (200, "booked 1")
    assert "Idempotency-Replayed" not in booked.headers
    assert (again.status_code, again.text) == (200, "booked 1")
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("name", ["stripe_events", "stripe-events.openfaas-fn"])
@pytest.mark.parametrize("prefix", ["/function/", "/async-function/"])
def test_without_an_envelope_only_what_is_signed_is_let_in(
    closed: System, sender: httpx.Client, prefix: str, name: str
):
    event = {
        "id": f"evt_{prefix}{name}",
        "object": "event",
        "type": "invoice.payment_failed",
        "data": {"object": {"id": "in_1", "amount_due": 99, "currency": "usd", "customer": "c"}},
    }
    body = json.dumps(event).encode()
    now_s = redis_s(closed)
    signed = {**JSON, **sign_stripe(body, now_s, STRIPE_SECRET)}

    unsigned = sender.post(prefix + name, content=body, headers=JSON)
    wrong = sender.post(prefix + name, content=body + b" ", headers=signed)
    first, again = (sender.post(prefix + name, content=body, headers=signed) for _ in range(2))

    assert (unsigned.status_code, wrong.status_code) == (401, 401)
    assert first.status_code in {200, 202}, first.text
    assert first.headers["x-call-id"] == again.headers["x-call-id"]
