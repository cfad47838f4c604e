"""Keys as callers meet them: whose invocations are whose, pace, rotation, wrong keys, secrecy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx
import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command
from tests.e2e.gateway.conftest import GREET, HOOK, SHRINK
from tests.support.api_keys import MadeKey, make_key
from tests.support.gateway_process import RunningGateway, closed_gateway

CALL = {"name": "Ada"}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("redis")
    with closed_gateway(folder, GREET, HOOK, SHRINK, log_level="debug") as gateway:
        yield gateway


def client(gateway: RunningGateway, key: MadeKey | None = None) -> httpx.Client:
    headers = key.headers if key else gateway.headers
    return httpx.Client(base_url=gateway.url, headers=headers, timeout=20, trust_env=False)


@pytest.fixture
def admin(closed: RunningGateway) -> Iterator[httpx.Client]:
    with client(closed) as http:
        yield http


@pytest.fixture
def shop(closed: RunningGateway) -> Iterator[httpx.Client]:
    with client(closed, make_key(closed.connection, "shop", "invoke:greet")) as http:
        yield http


@pytest.fixture
def desk(closed: RunningGateway) -> Iterator[httpx.Client]:
    with client(closed, make_key(closed.connection, "desk", "invoke:*")) as http:
        yield http


def test_a_caller_follows_and_cancels_what_his_name_has_called_and_nothing_else(
    closed: RunningGateway, shop: httpx.Client, desk: httpx.Client, admin: httpx.Client
):
    mine = shop.post("/functions/greet", json=CALL).json()
    batch = shop.post("/functions/greet/batch", json=[CALL]).json()
    unknown = new_invocation_id()
    pages = [("GET", page) for page in ("", "/result", "/logs", "/events")]
    pages += [("DELETE", ""), ("POST", "/retry")]

    for method, page in pages:
        answers = [
            desk.request(method, f"/invocations/{id_}{page}", headers={"Prefer": "wait=5"})
            for id_ in (mine["id"], unknown)
        ]
        seen = [answer.text.replace(mine["id"], unknown) for answer in answers]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert seen[0] == seen[1]
    for method, page in (("GET", ""), ("GET", "?limit=5"), ("DELETE", ""), ("POST", "/retry")):
        answer = desk.request(method, f"/batches/{batch['id']}{page}")
        assert (answer.status_code, answer.json()["code"]) == (404, "batch_not_found")

    assert (mine["caller"], batch["caller"]) == ("shop", "shop")
    other_key = make_key(closed.connection, "shop", "invoke:greet")
    with client(closed, other_key) as twin:
        assert twin.get(f"/invocations/{mine['id']}").json()["status"] == "queued"
        assert twin.delete(f"/invocations/{mine['id']}").status_code == 202
        assert twin.delete(f"/batches/{batch['id']}").status_code == 202
        assert twin.get(f"/invocations/{mine['id']}/events").status_code == 200
        retried = twin.post(f"/invocations/{mine['id']}/retry")
    assert (retried.status_code, retried.json()["caller"]) == (202, "shop")
    assert admin.delete(f"/invocations/{retried.json()['id']}").json()["caller"] == "shop"


def test_who_may_read_but_not_operate_is_told_so(
    closed: RunningGateway, desk: httpx.Client, admin: httpx.Client
):
    theirs = desk.post("/functions/greet", json=CALL).json()["id"]
    with client(closed, make_key(closed.connection, "looker", "read", "invoke:greet")) as looker:
        answers = [
            looker.get(f"/invocations/{theirs}"),
            looker.delete(f"/invocations/{theirs}"),
            looker.post(f"/invocations/{theirs}/retry"),
        ]
        status = looker.get(f"/invocations/{theirs}").json()["status"]

    assert [answer.status_code for answer in answers] == [200, 403, 403]
    assert "lacks the scope `operate`" in answers[1].json()["detail"]
    assert status == "queued"
    admin.delete(f"/invocations/{theirs}")


def test_what_an_operator_retries_stays_its_callers(
    closed: RunningGateway, desk: httpx.Client, admin: httpx.Client
):
    first = desk.post("/functions/greet", json=CALL).json()["id"]
    desk.delete(f"/invocations/{first}")

    again = admin.post(f"/invocations/{first}/retry").json()

    assert again["caller"] == "desk"
    assert desk.delete(f"/invocations/{again['id']}").status_code == 202


def test_idempotency_keys_and_pace_belong_to_the_name(closed: RunningGateway, desk: httpx.Client):
    pair = [make_key(closed.connection, "pair", "invoke:greet", rate="3/m") for _ in range(2)]
    once = {"Idempotency-Key": "one"}
    clients = [client(closed, key) for key in pair]

    first, second = (http.post("/functions/greet", json=CALL, headers=once) for http in clients)
    other = desk.post("/functions/greet", json=CALL, headers=once)
    more = [clients[at % 2].post("/functions/greet", json=CALL) for at in range(3)]

    assert first.json()["id"] == second.json()["id"] != other.json()["id"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert [answer.status_code for answer in more] == [202, 202, 429]
    assert more[-1].headers["RateLimit-Policy"] == '"default";q=3;w=60'
    assert "RateLimit" not in other.headers
    for http in clients:
        http.close()


def test_keys_are_made_listed_and_revoked_over_http(closed: RunningGateway, admin: httpx.Client):
    body = {"name": "hand", "scopes": ["invoke:greet", "read"], "rate": "9/s", "expires_in": "1h"}

    made = admin.post("/keys", json=body)
    again = admin.post("/keys", json={**body, "new_callback_secret": True}).json()
    headers = {"Authorization": f"Bearer {made.json()['key']}"}
    used = httpx.get(f"{closed.url}/session", headers=headers).json()
    listed = {item["id"]: item for item in admin.get("/keys").json()["items"]}

    shown = made.json()
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    assert shown["callback_secret"].startswith("whsec_")
    assert again["callback_secret"] not in (None, shown["callback_secret"])
    assert (used["name"], used["scopes"]) == ("hand", ["invoke:greet", "read"])
    assert not {"key", "digest", "callback_secret"} & listed[shown["id"]].keys()
    assert shown["key"] not in str(listed)
    assert admin.delete(f"/keys/{shown['id']}").status_code == 204
    assert admin.delete(f"/keys/{shown['id']}").json()["code"] == "key_not_found"
    assert httpx.get(f"{closed.url}/session", headers=headers).status_code == 401
    other = {"Authorization": f"Bearer {again['key']}"}
    assert httpx.get(f"{closed.url}/session", headers=other).status_code == 200


def test_an_outlived_key_is_refused(closed: RunningGateway):
    brief = make_key(closed.connection, "brief", "invoke:greet", lifetime_ms=1)

    with client(closed, brief) as http:
        answers = [http.post("/functions/greet", json=CALL), http.get("/functions")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["detail"] == "This API key has expired."


def test_a_webhook_sender_shows_its_key_as_a_password(closed: RunningGateway, admin: httpx.Client):
    made = make_key(closed.connection, "github", "invoke:hook")

    accepted = httpx.post(
        f"{closed.url}/functions/hook?x=1", content=b"payload", auth=("hook", made.text)
    )

    assert accepted.status_code == 202
    record = closed.connection.run(
        Command(("HGETALL", f"penstock:{{0}}:inv:{accepted.json()['id']}"), lambda reply: reply)
    )
    assert b"github" in record
    assert made.text.encode() not in b"".join(record)
    assert b"authorization" not in b"".join(record).lower()
    admin.delete(f"/invocations/{accepted.json()['id']}")


def test_no_key_is_ever_in_a_log_a_record_or_an_answer(closed: RunningGateway, admin: httpx.Client):
    made = make_key(closed.connection, "quiet", "invoke:*", "read")
    with client(closed, made) as http:
        answers = [
            http.post("/functions/greet", json=CALL),
            http.post("/functions/greet", json={}),
            http.post("/functions/hook", content=b"x"),
            http.get("/nowhere"),
            http.get("/queues/x"),
            http.get("/invocations"),
            admin.get("/keys"),
            httpx.get(closed.url + "/functions", headers={"Authorization": f"Basic {made.text}"}),
            httpx.post(closed.url + "/session", json={"key": made.text}),
        ]

    secret = made.text[16:-6]
    assert all(secret not in answer.text for answer in answers)
    assert secret not in str([answer.headers for answer in answers])
    assert secret not in closed.log.read_text()
    assert secret.encode() not in dump(closed.connection)


def dump(connection: BlockingConnection) -> bytes:
    """Return the content of the whole Redis."""
    names = connection.run(Command(("KEYS", "*"), list))
    content = []
    for name in names:
        with contextlib.suppress(TypeError):  # gone meanwhile
            content.append(connection.run(Command(("DUMP", name), bytes)))
    return b"".join(content)
