"""Cancelling what runs: its place is free within a second, and all who wait hear of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import pytest

from runtime.store.redis_keys import Keys
from tests.e2e.conftest import copy_functions
from tests.support.event_stream import follow
from tests.support.receiver import receiving
from tests.support.system import System, running_system
from tests.support.waiting import allowed, eventually

WITHIN_S = 1.0
TELLING = pytest.mark.parametrize("function", ["spin", "sleep_on"])


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One worker with room for one attempt."""
    folder = tmp_path_factory.mktemp("narrow")
    functions = copy_functions(folder / "functions")
    with running_system(folder, "--workers", "1", "--runners", "1", functions=functions) as system:
        system.call("hello", wait_s=10)
        yield system


def begin_sleeping(system: System, function: str) -> str:
    invocation_id: str = system.call(function).json()["id"]
    eventually(lambda: system.invocation(invocation_id)["status"] == "running")
    return invocation_id


def cancel(system: System, invocation_id: str):
    answer = system.http.delete(f"/invocations/{invocation_id}")
    assert answer.status_code == 202, answer.text
    return answer.json()


@TELLING
def test_the_place_of_what_is_cancelled_is_free_within_a_second(narrow: System, function: str):
    took_s = []
    for _ in range(3):
        invocation_id = begin_sleeping(narrow, function)
        waiting = narrow.call("hello").json()["id"]
        time.sleep(0.3)  # it runs, and not only just
        assert narrow.invocation(waiting)["status"] == "queued"

        began_at = time.monotonic()
        cancel(narrow, invocation_id)
        ended = narrow.finished(invocation_id)
        after = narrow.finished(waiting)

        took_s.append(time.monotonic() - began_at)
        assert (ended["status"], after["status"]) == ("cancelled", "succeeded")
    assert median(took_s) < allowed(WITHIN_S)


def test_a_function_in_a_thread_sees_it_and_ends_as_cancelled(narrow: System):
    invocation_id = begin_sleeping(narrow, "look_around")
    eventually(lambda: narrow.invocation(invocation_id)["progress"])

    answer = cancel(narrow, invocation_id)

    ended = narrow.finished(invocation_id, within_s=5)
    assert answer["cancellation"] == "cooperative"
    assert (ended["status"], ended["result"]) == ("cancelled", None)
    assert narrow.http.get(f"/invocations/{invocation_id}/logs").text == "saw it\n"


def test_who_waits_for_it_gets_409(narrow: System):
    with ThreadPoolExecutor(2) as pool:
        call = pool.submit(narrow.call, "spin", wait_s=30)
        [running] = eventually(
            lambda: narrow.http.get("/invocations?status=running&function=spin").json()["items"]
        )
        result = pool.submit(
            narrow.http.get,
            f"/invocations/{running['id']}/result",
            headers={"Prefer": "wait=30"},
        )
        cancel(narrow, running["id"])
        answers = call.result(5), result.result(5)

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (409, "invocation_cancelled")
        assert answer.json()["invocation"]["status"] == "cancelled"


def test_its_callback_is_sent_and_its_followers_see_the_end(narrow: System):
    with receiving() as receiver, ThreadPoolExecutor(1) as pool:
        answer = narrow.http.post(
            "/functions/spin", json={}, headers={"X-Callback-Url": receiver.url("/ok")}
        )
        invocation_id = answer.json()["id"]
        following = pool.submit(follow, narrow.http, invocation_id)
        eventually(lambda: narrow.invocation(invocation_id)["status"] == "running")

        cancel(narrow, invocation_id)

        [sent] = eventually(lambda: receiver.requests)
        assert json.loads(sent.body)["type"] == "invocation.cancelled"
        reported = [e.value["status"] for e in following.result(5) if e.name == "status"]
        assert reported == ["queued", "running", "cancelled"]


def test_orders_that_mean_another_attempt_or_nothing_are_not_obeyed(narrow: System):
    invocation_id = begin_sleeping(narrow, "spin")
    [worker] = narrow.http.get("/workers").json()["items"]
    control = Keys().build("control", worker["id"])

    for order in (f"cancel {invocation_id} 99", "cancel", "cancel x y", "\\xff", f"stop {worker}"):
        narrow.run_command("RPUSH", control, order)
    eventually(lambda: narrow.run_command("LLEN", control) == 0)

    assert narrow.invocation(invocation_id)["status"] == "running"
    cancel(narrow, invocation_id)
    assert narrow.finished(invocation_id, within_s=WITHIN_S)["status"] == "cancelled"


def test_a_lost_order_is_made_good_by_the_next_heartbeat(narrow: System):
    invocation_id = begin_sleeping(narrow, "spin")

    narrow.run_command("HSET", Keys().build("record", invocation_id), "cancelling", "1")

    assert narrow.finished(invocation_id, within_s=4)["status"] == "cancelled"


def test_what_is_past_its_retention_goes_by_itself(narrow: System):
    invocation_id = narrow.call("hello", wait_s=10).json()["id"]

    narrow.run_command("ZADD", Keys().build("retention"), 1, invocation_id)

    path = f"/invocations/{invocation_id}"
    eventually(lambda: narrow.http.get(path).status_code == 410, within_s=6)
