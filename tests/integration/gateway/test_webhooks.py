"""Signed calls in one gateway process: who is admitted, what is refused, and by which clock."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import falcon.testing
import pytest

from gateway.app import create
from runtime.invocations.record import read
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.sdk.options import Options
from runtime.sdk.verification import parse_verification
from runtime.settings import Settings
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import publish_function
from runtime.store.scripts import Command
from runtime.store.statistics_commands import read_clock
from tests.support.api_keys import make_key
from tests.support.life import Life
from tests.support.signers import SECRET, SENDERS, STANDARD_SECRET, sign_github, sign_standard

ANY = {"type": "object", "additionalProperties": True}
BODY = b'{"id": "evt_1", "event_id": "Ev1", "n": 1}'
JSON = {"Content-Type": "application/json"}
NO_SECRET = "github:ABSENT"
NOTHING: Mapping[str, str] = {}
Asked = tuple[str, bytes, Mapping[str, str]]


def function(name: str, verify: str | None, injected: Mapping[str, str] = NOTHING) -> Manifest:
    verification = None if verify is None else parse_verification(verify)
    return Manifest(
        name=name,
        version="v1",
        file=f"{name}.py",
        parameters=ANY,
        injected=dict(injected),
        options=Options(verify=verification),
    )


@pytest.fixture
def published(redis_url: str, connection: BlockingConnection, monkeypatch) -> str:
    """The URL of a Redis with a function for each sender, whose secrets the gateway gets."""
    functions = [function(name, sender.verify) for name, sender in SENDERS.items()]
    functions.append(function("hook", SENDERS["github"].verify, {"request": "request"}))
    for manifest in (*functions, function("absent", NO_SECRET), function("plain", None)):
        encoded = encode_manifest(manifest)
        connection.run(publish_function(manifest.name, manifest=encoded, version="v1", source=b""))
    for sender in SENDERS.values():
        secret = sender.verify.partition(":")[2].partition(" ")[0]
        monkeypatch.setenv(f"PENSTOCK_SECRET_{secret}", sender.secret)
    return redis_url


def answers(
    redis_url: str, *asked: Asked, method: str = "POST", **settings: Any
) -> list[falcon.testing.Result]:
    async def talk() -> list[falcon.testing.Result]:
        app = create(Settings(redis=redis_url, **settings))
        async with falcon.testing.ASGIConductor(app) as conductor:
            return [
                await conductor.simulate_request(
                    method, path, body=body, headers={**JSON, **headers}
                )
                for path, body, headers in asked
            ]

    return asyncio.run(talk())


def now_s(connection: BlockingConnection) -> int:
    return connection.run(read_clock()) // 1000


def codes(results: list[falcon.testing.Result]) -> list[tuple[int, str]]:
    return [(one.status_code, one.json.get("code", "")) for one in results]


@pytest.mark.parametrize("auth", ["required", "off"])
def test_a_signature_is_enough_and_names_the_caller(published, connection, auth: str):
    at_s = now_s(connection)
    asked = [
        (f"/functions/{name}", BODY, sender.sign(BODY, at_s, sender.secret))
        for name, sender in SENDERS.items()
    ]

    results = answers(published, *asked, auth=auth)

    for sender, result in zip(SENDERS.values(), results, strict=True):
        assert result.status_code == 202, result.text
        record = connection.run(read(result.json["id"]))
        assert record is not None
        assert record.caller == f"webhook:{sender.verify.partition(':')[0]}"
        assert record.arguments == BODY


@pytest.mark.parametrize("auth", ["required", "off"])
@pytest.mark.parametrize("name", sorted(SENDERS))
def test_what_is_not_signed_right_leaves_nothing_behind(published, connection, auth, name):
    sender, at_s = SENDERS[name], now_s(connection)
    path, signed = f"/functions/{name}", sender.sign(BODY, at_s, sender.secret)
    stale = sender.sign(BODY, at_s - 400, sender.secret)
    forged = sender.sign(BODY, at_s, STANDARD_SECRET[:-4] + "Law=")
    asked = [(path, BODY + b" ", signed), (path, BODY, forged)]
    asked += [(path, BODY, stale)] if sender.is_timed else []
    before = connection.run(Command(("DBSIZE",), int))

    results = answers(published, *asked, (path, BODY, {}), auth=auth)

    *signed_wrong, unsigned = codes(results)
    assert signed_wrong == [(401, "signature_invalid")] * len(asked)
    assert unsigned == (401, "unauthenticated")
    assert all(result.headers["WWW-Authenticate"] == "Bearer" for result in results)
    assert connection.run(Command(("DBSIZE",), int)) == before


@pytest.mark.parametrize("auth", ["required", "off"])
def test_a_key_is_enough_too_unless_the_signature_is_wrong(published, connection, auth):
    allowed = make_key(connection, "ada", "invoke:github").headers
    other = make_key(connection, "bob", "invoke:plain").headers
    right, wrong = sign_github(BODY, 0, SECRET), sign_github(b"", 0, SECRET)
    path = "/functions/github"

    results = answers(
        published,
        (path, BODY, allowed),
        (path, BODY, {**allowed, **right}),
        (path, BODY, {**allowed, **wrong}),
        (path, BODY, other),
        (path, BODY, {"Authorization": "Bearer pk_wrong", **right}),
        ("/functions/github/batch", b"[{}]", allowed),
        ("/functions/github/batch", b"[{}]", sign_github(b"[{}]", 0, SECRET)),
        auth=auth,
    )

    assert [result.status_code for result in results] == [202, 202, 401, 403, 401, 202, 401]
    assert [results[at].json["caller"] for at in (0, 1)] == ["ada", "ada"]


@pytest.mark.parametrize("auth", ["required", "off"])
def test_a_token_for_the_function_is_no_wrong_key_beside_a_signature(published, connection, auth):
    path, token = "/functions/hook", {"Authorization": "Bearer abc"}
    right, wrong = sign_github(BODY, 0, SECRET), sign_github(b"", 0, SECRET)

    *signed, forged, unsigned, mistyped = answers(
        published,
        *[(path, BODY, {**token, **right})] * 25,  # more than the wrong keys an address may send
        (path, BODY, {**token, **wrong}),
        (path, BODY, token),
        (path, BODY, {"Authorization": "Bearer pk_wrong"}),
        auth=auth,
    )

    assert {result.status_code for result in signed} == {202}
    record = connection.run(read(signed[0].json["id"]))
    assert record is not None
    assert json.loads(record.request)["headers"]["authorization"] == "Bearer abc"
    assert codes([forged]) == [(401, "signature_invalid")]
    assert codes([unsigned, mistyped]) == [(401, "unauthenticated")] * 2


def test_nobody_makes_a_webhook_run_again_without_a_key(published, connection):
    key = make_key(connection, "ada", "operate", "invoke:github").headers
    life = Life(connection)
    first, batch, plain = answers(
        published,
        ("/functions/github", BODY, sign_github(BODY, 0, SECRET)),
        ("/functions/github/batch", b"[{}]", key),
        ("/functions/plain", BODY, {}),
    )
    for claimed in life.claim(3).items:
        life.settle(claimed, "failed", error=b"{}")
    again = f"/invocations/{first.json['id']}/retry"
    schedule = b'{"function": "github", "cron": "@daily"}'

    alone, members, listed, planned, other, others, allowed, all_allowed = answers(
        published,
        (again, b"", {}),
        (f"/batches/{batch.json['id']}/retry", b"", {}),
        ("/invocations/retry?function=github", b"", {}),
        ("/schedules", schedule, {}),
        (f"/invocations/{plain.json['id']}/retry", b"", {}),
        ("/schedules", schedule.replace(b"github", b"plain"), {}),
        (again, b"", key),
        ("/invocations/retry?function=github", b"", key),
    )

    assert codes([alone, planned]) == [(401, "unauthenticated")] * 2
    assert "github verifies webhooks" in alone.json["detail"]
    assert [(one.json["count"], one.json["skipped"]) for one in (members, listed)] == [
        (0, 1),
        (0, 2),
    ]
    assert [one.status_code for one in (other, others, allowed)] == [202, 201, 202]
    assert (all_allowed.json["count"], all_allowed.json["skipped"]) == (1, 0)


def test_a_signature_opens_no_other_door(published, connection):
    signed = sign_github(BODY, 0, SECRET)
    key = make_key(connection, "ada", "read").headers

    called = answers(published, ("/functions/plain", BODY, signed), auth="required")
    read_ = answers(
        published, ("/functions/github", b"", signed), method="GET", auth="required"
    ) + answers(published, ("/invocations", b"", signed), method="GET", auth="required")
    [listed] = answers(published, ("/functions", b"", key), method="GET", auth="required")

    assert codes(called + read_) == [(401, "unauthenticated")] * 3
    shown = {one["name"]: one["verification"] for one in listed.json["items"]}
    assert shown["plain"] is None
    assert shown["absent"] == {"scheme": "github", "secret": "ABSENT", "is_set": False}
    assert shown["shop"] == {"scheme": "hmac", "secret": "SHOP", "is_set": True}


@pytest.mark.parametrize("name", sorted(set(SENDERS) - {"bill"}))
def test_what_a_sender_sends_again_is_answered_by_the_first(published, connection, name):
    sender, at_s = SENDERS[name], now_s(connection)
    changed = BODY.replace(b'"n": 1', b'"n": 2')
    path = f"/functions/{name}"

    first, again, other = answers(
        published,
        (path, BODY, {**sender.sign(BODY, at_s - 5, sender.secret), "Idempotency-Key": "mine"}),
        (path, BODY, sender.sign(BODY, at_s, sender.secret)),
        (path, changed, sender.sign(changed, at_s, sender.secret)),
        auth="required",
    )

    assert first.json["id"] == again.json["id"]
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
    assert "Idempotency-Replayed" not in first.headers
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


def test_a_webhook_that_is_sent_after_its_record_is_gone_is_a_success(published, connection):
    signed = sign_github(BODY, 0, SECRET)
    paths = ["/functions/github", "/async-function/github", "/function/github"]

    called = ("/functions/plain", BODY, {"Idempotency-Key": "mine"})
    life = Life(connection)

    first, other = answers(published, (paths[0], BODY, signed), called)
    for one in (first, other):
        life.command("DEL", life.key("record", one.json["id"]))
    waits, *results, of_a_call = answers(
        published,
        (paths[0], BODY, {**signed, "Prefer": "wait=5"}),
        *((path, BODY, signed) for path in paths),
        called,
    )

    assert of_a_call.status_code == 410
    assert [result.status_code for result in (waits, *results)] == [202, 202, 202, 200]
    assert [result.text for result in (waits, *results)] == ["{}", "{}", "", ""]
    assert {result.headers["Idempotency-Replayed"] for result in (waits, *results)} == {"true"}


def test_a_webhook_is_run_again_if_its_invocation_failed(published, connection):
    path, signed = "/functions/github", sign_github(BODY, 0, SECRET)
    life = Life(connection)

    [first] = answers(published, (path, BODY, signed))
    life.settle(life.claim_one(), "failed", error=b"{}")
    second, third = answers(published, *[(path, BODY, signed)] * 2)
    life.settle(life.claim_one())
    [fourth] = answers(published, (path, BODY, signed))

    assert second.json["id"] != first.json["id"]
    assert {one.json["id"] for one in (second, third, fourth)} == {second.json["id"]}
    replayed = ["Idempotency-Replayed" in one.headers for one in (second, third, fourth)]
    assert replayed == [False, True, True]


@pytest.mark.parametrize("auth", ["required", "off"])
def test_slack_s_challenge_is_answered_and_nothing_is_queued(published, connection, auth):
    slack, at_s = SENDERS["slack"], now_s(connection)
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()
    before = connection.run(Command(("DBSIZE",), int))

    right, wrong = answers(
        published,
        ("/functions/slack", body, slack.sign(body, at_s, slack.secret)),
        ("/functions/slack", body, slack.sign(body, at_s, "guessed")),
        auth=auth,
    )

    assert (right.status_code, right.text) == (200, "3eZbrw1a")
    assert right.headers["Content-Type"].startswith("text/plain")
    assert wrong.status_code == 401
    assert connection.run(Command(("DBSIZE",), int)) == before


def test_without_its_secret_a_gateway_accepts_nothing_and_logs_the_variable_once(
    published, capsys: pytest.CaptureFixture[str]
):
    signed = sign_github(BODY, 0, "")

    results = answers(published, *[("/functions/absent", BODY, signed)] * 2, auth="required")

    assert codes(results) == [(401, "signature_invalid")] * 2
    assert "PENSTOCK_SECRET_ABSENT" in results[0].json["detail"]
    logged = capsys.readouterr().err.splitlines()
    warned = [line for line in logged if "webhook_secret_unusable" in line]
    assert len(warned) == 1, logged
    assert "variable=PENSTOCK_SECRET_ABSENT" in warned[0]


@pytest.mark.parametrize("secret", ["whsec_", "whsec_no base64", ","])
def test_a_secret_that_is_no_key_of_the_standard_opens_nothing(
    published, connection, monkeypatch, capsys, secret: str
):
    monkeypatch.setenv("PENSTOCK_SECRET_PAY", secret)
    signed = sign_standard(BODY, now_s(connection), STANDARD_SECRET)

    [result] = answers(published, ("/functions/standard", BODY, signed), auth="required")

    assert codes([result]) == [(401, "signature_invalid")]
    logged = capsys.readouterr().err
    assert "variable=PENSTOCK_SECRET_PAY" in logged
    assert "no base64" not in logged


@pytest.mark.parametrize("ahead_s", [-86_400, 86_400])
def test_a_gateway_whose_own_clock_is_wrong_checks_by_redis_s(
    published, connection, monkeypatch, ahead_s: int
):
    at_s, real = now_s(connection), time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead_s)
    names = [name for name, sender in SENDERS.items() if sender.is_timed]
    fresh = [
        (f"/functions/{name}", BODY, SENDERS[name].sign(BODY, at_s, SENDERS[name].secret))
        for name in names
    ]
    by_own_clock = [
        (f"/functions/{name}", BODY, SENDERS[name].sign(BODY, at_s + ahead_s, SENDERS[name].secret))
        for name in names
    ]

    results = answers(published, *fresh, *by_own_clock, auth="required")

    assert [result.status_code for result in results] == [202] * 3 + [401] * 3


def test_redis_is_asked_for_its_time_once_for_many_signatures(published, connection):
    at_s = now_s(connection)
    sender = SENDERS["stripe"]
    bodies = [b'{"id": "e%d"}' % number for number in range(20)]
    asked = [("/functions/stripe", b, sender.sign(b, at_s, sender.secret)) for b in bodies]
    calls = Command(("INFO", "commandstats"), lambda reply: reply.decode())

    def times_asked() -> int:
        [line] = [x for x in connection.run(calls).splitlines() if x.startswith("cmdstat_time:")]
        return int(line.partition("calls=")[2].partition(",")[0])

    counts = [times_asked()]
    results = answers(published, *asked, auth="required")
    counts.append(times_asked())
    results += answers(published, *[("/functions/plain", b"{}", {})] * 20, auth="off")
    counts.append(times_asked())

    assert {result.status_code for result in results} == {202}
    for_signed, for_plain = counts[1] - counts[0], counts[2] - counts[1]
    assert for_signed == for_plain + 1
