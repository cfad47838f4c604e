"""A gateway process that has just begun: its first answer is as good as any other."""

from __future__ import annotations

import json

import httpx
import psutil

from runtime.store.scripts import Command
from tests.e2e.gateway.conftest import FUNCTIONS
from tests.support.gateway_process import running_gateway
from tests.support.redis_server import own_redis
from tests.support.waiting import eventually


def test_the_first_answer_of_a_gateway_process_knows_the_functions(tmp_path):
    with own_redis(tmp_path) as url, running_gateway(url) as gateway:
        gateway.publish(*FUNCTIONS)
        answers = []
        for _ in range(3):
            [serving] = psutil.Process(gateway.pid).children()
            serving.kill()
            psutil.wait_procs([serving], timeout=5)
            answers.append(httpx.get(f"{gateway.url}/functions", timeout=30))

    assert [answer.status_code for answer in answers] == [200] * 3


def test_every_line_of_a_gateway_is_json_where_that_is_wanted(redis_url):
    with running_gateway(redis_url, log_format="json", max_body_byte=5) as gateway:
        httpx.post(f"{gateway.url}/functions/nobody", json={})
        gateway.connection.run(Command(("CLIENT", "KILL", "TYPE", "pubsub"), lambda reply: reply))
        [serving] = psutil.Process(gateway.pid).children()
        serving.kill()
        eventually(lambda: "was sent" in gateway.log.read_text())
        lines = gateway.log.read_text().splitlines()

    events = [json.loads(line) for line in lines]
    assert all({"event", "level", "timestamp"} <= event.keys() for event in events)
    reported = {event["event"]: event["level"] for event in events}
    assert [event["event"].startswith("Listening at") for event in events].count(True) == 1
    assert "Application startup complete." in reported
    [unknown] = [event for event in reported if "PENSTOCK_MAX_BODY_BYTE " in event]
    assert unknown.endswith("did you mean PENSTOCK_MAX_BODY_BYTES?")
    assert reported[unknown] == "warning"
    assert len({json.dumps(event) for event in events}) == len(events)


def test_readyz_says_why_not_with_keys_and_without(redis_url):
    with (
        running_gateway(redis_url, auth="required") as closed,
        running_gateway(redis_url) as opened,
    ):
        none = [httpx.get(f"{one.url}/readyz").json()["detail"] for one in (closed, opened)]
        opened.publish(FUNCTIONS[-1])
        eventually(lambda: "has loaded" in httpx.get(f"{closed.url}/readyz").json()["detail"])
        broken = [httpx.get(f"{one.url}/readyz").json()["detail"] for one in (closed, opened)]
        opened.connection.run(Command(("CLIENT", "PAUSE", 3000, "ALL"), lambda reply: reply))
        away = [httpx.get(f"{one.url}/readyz").json()["detail"] for one in (closed, opened)]

    assert none == ["No functions are published yet."] * 2
    assert broken == ["None of the 1 functions has loaded."] * 2
    assert away[0] == "Redis does not answer."
    assert away[1].startswith("Redis does not answer: ")
