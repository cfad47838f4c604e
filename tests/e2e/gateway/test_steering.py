"""Cancelling, and invoking again what has ended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.store.function_commands import publish_function
from tests.e2e.gateway.answers import code_of
from tests.support.gateway_process import error_json
from tests.support.waiting import eventually

CALL = {"name": "Ada"}


def accept_call(http, path="/functions/greet", **headers):
    answer = http.post(path, json=CALL if "greet" in path else {}, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()


def fail(gateway, http, **query):
    """A call of greet that has failed."""
    answer = http.post("/functions/greet", json=CALL, params=query)
    gateway.finish(gateway.claim(), "failed", error=error_json("exception", "no"))
    return answer.json()["id"]


def test_what_waits_is_cancelled_at_once(gateway, http):
    waiting = accept_call(http)
    later = accept_call(http, "/functions/greet?delay=1h")

    answers = [http.delete(f"/invocations/{one['id']}") for one in (waiting, later)]

    for answer, one in zip(answers, (waiting, later), strict=True):
        assert answer.status_code == 202
        assert answer.json()["id"] == one["id"]
        assert (answer.json()["status"], answer.json()["cancellation"]) == ("cancelled", "done")
    assert http.get(f"/invocations/{waiting['id']}").json()["status"] == "cancelled"


def test_what_runs_is_cancelled_by_its_worker(gateway, http):
    accept_call(http)
    claimed = gateway.claim()

    answer = http.delete(f"/invocations/{claimed.id}")
    again = http.delete(f"/invocations/{claimed.id}")
    gateway.finish(claimed, "cancelled")

    assert answer.status_code == again.status_code == 202
    assert (answer.json()["status"], answer.json()["cancellation"]) == ("running", "requested")
    assert http.get(f"/invocations/{claimed.id}").json()["status"] == "cancelled"


def test_what_has_ended_stays_as_it_is(gateway, http):
    accept_call(http)
    claimed = gateway.claim()
    gateway.finish(claimed, result=b'"hi"')

    answer = http.delete(f"/invocations/{claimed.id}")

    assert code_of(answer) == (409, "invocation_finished")
    assert answer.json()["invocation"]["status"] == "succeeded"


@pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("POST", "/retry"), ("GET", "")])
def test_an_id_that_was_ours_is_gone_and_any_other_unknown(http, method, path):
    ours, other = new_invocation_id(), "0192d3a0-7b1c-7def-8a55-0123456789ab"

    assert code_of(http.request(method, f"/invocations/{ours}{path}")) == (410, "invocation_gone")
    for unknown in (other, "x", ours.upper()):
        answer = http.request(method, f"/invocations/{unknown}{path}")
        assert code_of(answer) == (404, "invocation_not_found")


def test_a_retry_is_the_same_call_again(gateway, http):
    old = fail(gateway, http, tag=["a", "b"], priority=7, key="k")

    answer = http.post(f"/invocations/{old}/retry")
    claimed = gateway.claim()
    gateway.finish(claimed, result=b'"hi"')

    new = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/invocations/{new['id']}"
    assert (new["retry_of"], new["arguments"], new["tags"]) == (old, CALL, ["a", "b"])
    assert claimed.id == new["id"] != old
    assert http.get(f"/invocations/{old}").json()["retried_by"] == new["id"]


def test_a_retry_carries_the_request_and_the_callback(gateway, http):
    hook = "http://127.0.0.1:9/x"
    http.post("/functions/hook?a=1", content=b"raw", headers={"X-Callback-Url": hook})
    first = gateway.claim()
    gateway.finish(first)

    answer = http.post(f"/invocations/{first.id}/retry")
    second = gateway.claim()
    gateway.finish(second)

    assert second.request == first.request
    assert answer.json()["callback"]["url"] == hook


def test_a_retry_can_be_waited_for(gateway, http):
    old = fail(gateway, http)

    answer = http.post(f"/invocations/{old}/retry", headers={"Prefer": "wait=1"})
    gateway.finish(gateway.claim(), result=b'"hi"')

    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "wait=1"


def test_what_has_not_ended_is_not_retried(gateway, http):
    waiting = accept_call(http)

    answer = http.post(f"/invocations/{waiting['id']}/retry")
    http.delete(f"/invocations/{waiting['id']}")

    assert code_of(answer) == (409, "invocation_unfinished")


def test_arguments_that_no_longer_fit_are_422(gateway, http):
    gateway.publish(Manifest(name="moving", version="v1", file="m.py", parameters={}))
    http.post("/functions/moving", json={"old": 1})
    claimed = gateway.claim()
    gateway.finish(claimed)
    strict = {"properties": {"new": {"type": "integer"}}, "additionalProperties": False}
    manifest = Manifest(name="moving", version="v2", file="m.py", parameters=strict)
    gateway.connection.run(
        publish_function("moving", manifest=encode_manifest(manifest), version="v2", source=b"")
    )
    eventually(lambda: http.get("/functions/moving").json()["version"] == "v2")

    answer = http.post(f"/invocations/{claimed.id}/retry")

    assert code_of(answer) == (422, "arguments_invalid")
    assert answer.json()["errors"][0]["pointer"] == "/old"


def test_a_bulk_retry_repeats_each_once(gateway, http):
    failed = [fail(gateway, http, tag="bulk") for _ in range(5)]
    http.post(f"/invocations/{failed[0]}/retry")

    first = http.post("/invocations/retry?function=greet&status=failed&tag=bulk&limit=3")
    rest = http.post(
        "/invocations/retry",
        params={
            "function": "greet",
            "status": "failed",
            "tag": "bulk",
            "limit": 3,
            "cursor": first.json()["next"],
        },
    )
    again = http.post("/invocations/retry?function=greet&tag=bulk")
    retried = [gateway.claim() for _ in range(5)]
    for claimed in retried:
        gateway.finish(claimed)

    assert first.status_code == 202
    assert first.json()["count"] == 3
    assert 'rel="next"' in first.headers["Link"]
    assert (rest.json()["count"], rest.json()["next"]) == (1, None)
    assert again.json() == {"count": 0, "skipped": 0, "next": None}
    origins = [http.get(f"/invocations/{one.id}").json()["retry_of"] for one in retried]
    assert sorted(origins) == sorted(failed)


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("", ["?function", "?status"]),
        ("tag=x", ["?function", "?status"]),
        ("status=running", ["?status"]),
        ("status=failed&limit=0", ["?limit"]),
        ("status=failed&limit=1001", ["?limit"]),
        ("status=failed&cursor=x", ["?cursor"]),
        ("function=Not%20one", ["?function"]),
    ],
)
def test_a_bulk_retry_says_what_it_needs(http, query, pointers):
    answer = http.post(f"/invocations/retry?{query}")

    assert code_of(answer) == (422, "parameter_invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


@pytest.mark.parametrize("verb", ["retry", "cancel"])
def test_all_of_everything_is_never_meant(http, verb):
    for method in ("GET", "POST"):
        answer = http.request(method, f"/invocations/{verb}?tag=x&since=yesterday")

        assert code_of(answer) == (422, "parameter_invalid")
        pointers = [error["pointer"] for error in answer.json()["errors"]]
        assert pointers == ["?function", "?status", "?since"]


def test_a_bulk_retry_is_counted_first_and_keeps_to_its_span_of_time(gateway, http):
    early = fail(gateway, http, tag="span")
    middle = [fail(gateway, http, tag="span") for _ in range(2)]
    bounds = {"since": moment_of(middle[0]), "before": moment_of(middle[-1], later_ms=1)}
    late = fail(gateway, http, tag="span")
    wanted = {"status": "failed", "tag": "span", **bounds}

    counted = http.get("/invocations/retry", params=wanted).json()
    done = http.post("/invocations/retry", params=wanted)
    for _ in middle:
        gateway.finish(gateway.claim())

    assert (counted["count"], counted["more"]) == (2, False)
    assert (done.json()["count"], done.json()["next"]) == (2, None)
    for one, is_retried in ((early, False), (late, False), *((m, True) for m in middle)):
        assert (http.get(f"/invocations/{one}").json()["retried_by"] is not None) is is_retried
    assert http.get("/invocations/retry", params=wanted).json()["count"] == 0


def test_a_bulk_cancel_ends_what_waits_tells_who_runs_and_spares_the_rest(gateway, http):
    accept_call(http, "/functions/greet?tag=sweep")
    running = gateway.claim()
    waiting = [accept_call(http, "/functions/greet?tag=sweep")["id"] for _ in range(3)]
    later = [accept_call(http, "/functions/greet?tag=sweep&delay=1h")["id"] for _ in range(2)]
    other = accept_call(http, "/functions/greet?tag=spared&delay=1h")["id"]
    wanted = {"function": "greet", "tag": "sweep"}

    counted = http.get("/invocations/cancel", params=wanted).json()
    newcomer = accept_call(http, "/functions/greet?tag=sweep&delay=1h")["id"]
    wanted |= {"limit": 4, "before": counted["before"]}
    first = http.post("/invocations/cancel", params=wanted)
    rest = http.post("/invocations/cancel", params={**wanted, "cursor": first.json()["next"]})
    gateway.finish(running, "cancelled")

    assert (counted["count"], counted["more"]) == (6, False)
    assert first.status_code == 202
    assert (first.json()["cancelled"], first.json()["cancelling"]) == (4, 0)
    assert rest.json() == {"cancelled": 1, "cancelling": 1, "next": None}
    for one in (running.id, *waiting, *later):
        assert http.get(f"/invocations/{one}").json()["status"] == "cancelled"
    for one in (other, newcomer):
        assert http.delete(f"/invocations/{one}").json()["cancellation"] == "done"


def moment_of(invocation_id, later_ms=0):
    """The moment in an id, by which lists are cut."""
    ms = int(invocation_id.replace("-", "")[:12], 16) + later_ms
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
