"""How fast a caller may call, and how many may wait: settings of a gateway."""

from __future__ import annotations

import pytest

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command
from tests.e2e.gateway.conftest import FUNCTIONS
from tests.support.gateway_process import running_gateway
from tests.support.redis_server import own_redis

CALL = {"name": "Ada"}


@pytest.fixture(scope="module")
def limited_gateway(tmp_path_factory):
    with (
        own_redis(tmp_path_factory.mktemp("redis")) as url,
        running_gateway(url, caller_rate="4/m", max_waiting=5) as gateway,
    ):
        gateway.publish(*FUNCTIONS)
        yield gateway


@pytest.fixture
def gateway(limited_gateway):
    return limited_gateway


def test_a_caller_who_is_too_fast_is_told_when_to_come_again(http):
    answers = [http.post("/functions/greet", json=CALL) for _ in range(5)]
    batch = http.post("/functions/greet/batch", json=[CALL])
    reading = http.get("/functions/greet")

    assert [answer.status_code for answer in answers] == [202] * 4 + [429]
    assert [answer.headers["RateLimit"].rpartition(";")[0] for answer in answers] == [
        f'"default";r={left}' for left in (3, 2, 1, 0, 0)
    ]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"default";q=4;w=60'}
    refused = answers[-1]
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 15
    assert batch.json()["code"] == "rate_limited"
    assert reading.status_code == 200
    assert "RateLimit" not in reading.headers
    assert reading.json()["stats"]["waiting"] == 4


def test_a_wrong_call_is_not_counted(limited_gateway, http):
    limited_gateway.connection.run(_forget())

    for _ in range(6):
        assert http.post("/functions/greet", json={}).status_code == 422

    assert http.post("/functions/greet", json=CALL).headers["RateLimit"].startswith('"default";r=3')


def test_a_function_without_a_limit_of_its_own_has_the_gateways(limited_gateway, http):
    limited_gateway.connection.run(_forget())

    batch = http.post("/functions/hook?x=1", content=b"")
    full = http.post("/functions/pictures.shrink/batch", json=[{"image": ""}] * 6)

    assert batch.status_code == 202
    assert (full.status_code, full.json()["code"]) == (429, "queue_full")


def _forget():
    return Command(("DEL", Keys().build("rate", "caller:127.0.0.1")), int)
