"""GET /invocations: filters, pages and cursors."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from runtime.registry.manifest import Manifest
from tests.support.gateway_process import error_json


@pytest.fixture(scope="module")
def listed(shared_gateway):
    """Functions of its own: `many` has 7 that succeeded, 3 that failed, 4 that wait."""
    shared_gateway.publish(
        Manifest(name="many", version="v1", file="many.py"),
        Manifest(name="few", version="v1", file="few.py"),
    )
    return shared_gateway


@pytest.fixture(scope="module")
def ids(listed):
    found = {"succeeded": [], "failed": [], "queued": [], "scheduled": []}
    with httpx.Client(base_url=listed.url, trust_env=False) as http:
        for number in range(10):
            http.post("/functions/many", json={"n": number}, params={"tag": f"t{number % 2}"})
            claimed = listed.claim()
            status = "failed" if number % 3 == 2 else "succeeded"
            error = error_json("exception", "no") if status == "failed" else b""
            listed.finish(claimed, status, error=error)
            found[status].append(claimed.id)
        for _ in range(4):
            found["queued"].append(http.post("/functions/many", json={}).json()["id"])
        for _ in range(3):
            answer = http.post("/functions/many?delay=1h", json={})
            found["scheduled"].append(answer.json()["id"])
        yield found
        for one in (*found["queued"], *found["scheduled"]):
            http.delete(f"/invocations/{one}")


def pages_of_history(http, **query):
    """Every page, by following `next`; the links say the same."""
    found = []
    answer = http.get("/invocations", params=query)
    for _ in range(50):
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found.append([item["id"] for item in body["items"]])
        if body["next"] is None:
            assert "Link" not in answer.headers
            return found
        link, rel = answer.headers["Link"].split("; ")
        assert rel == 'rel="next"'
        answer = http.get(link.strip("<>"))
    raise AssertionError("a list without end")


def flat(found):
    return [one for page in found for one in page]


def moment_in(invocation_id):
    """The moment in an id is the gateway's; `created_at` is told by Redis, a little later."""
    ms = int(invocation_id.replace("-", "")[:12], 16)
    moment = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds")


@pytest.mark.parametrize("status", ["succeeded", "failed", "queued", "scheduled"])
def test_a_status_lists_all_that_have_it_newest_first(http, ids, status):
    found = pages_of_history(http, function="many", status=status, limit=2)

    assert flat(found) == sorted(ids[status], reverse=True)
    assert all(len(page) == 2 for page in found[:-1])


def test_without_filters_all_are_listed(http, ids):
    everything = flat(pages_of_history(http, limit=100))

    assert {one for of_status in ids.values() for one in of_status} <= set(everything)
    assert everything == sorted(everything, reverse=True)


def test_filters_go_together(http, ids):
    found = flat(pages_of_history(http, function="many", status="failed", tag="t0", limit=1))

    assert found == [
        one for one in reversed(ids["failed"]) if one in flat(pages_of_history(http, tag="t0"))
    ]
    assert flat(pages_of_history(http, function="few")) == []


def test_a_list_may_begin_with_those_before_a_moment(http, ids):
    [all_of_them] = pages_of_history(http, function="many", status="succeeded")
    third = moment_in(all_of_them[2])

    parts = pages_of_history(http, function="many", status="succeeded", before=third, limit=2)

    # Of those accepted within the same ms as the third, none is shown.
    shown = [one for part in parts for one in part]
    assert shown == all_of_them[-len(shown) :]
    assert all_of_them[2] not in shown
    assert len(shown) >= 1


def test_what_waits_may_be_listed_from_a_moment_too(http, ids):
    those = {"function": "many", "status": "scheduled"}

    assert pages_of_history(http, **those, before="2020-01-01T00:00:00Z") == [[]]
    assert len(pages_of_history(http, **those, before="2100-01-01T00:00:00Z")[0]) == 3


def test_a_list_may_be_cut_to_a_span_of_time(http, ids):
    [ended] = pages_of_history(http, function="many", status="succeeded")
    later = {"since": moment_in(ended[2]), "before": "2100-01-01T00:00:00Z"}

    # Of those accepted within the same ms as the third, all are shown.
    shown = flat(pages_of_history(http, function="many", status="succeeded", limit=2, **later))
    assert shown == ended[: len(shown)]
    assert len(shown) >= 3
    assert flat(pages_of_history(http, function="many", since=moment_in(ids["queued"][0]))) == (
        sorted(ids["queued"] + ids["scheduled"], reverse=True)
    )


@pytest.mark.parametrize(
    "query",
    [
        "status=failed,scheduled",
        "status=scheduled&status=failed",
        "status=failed,failed&status=scheduled",
        "status=scheduled%2Cfailed",
    ],
)
def test_several_statuses_are_one_list_newest_first(http, ids, query):
    wanted = sorted(ids["failed"] + ids["scheduled"], reverse=True)

    statuses = httpx.QueryParams(query).get_list("status")
    found = pages_of_history(http, function="many", status=statuses, limit=2)
    first = http.get(f"/invocations?function=many&limit=4&{query}").json()
    rest = http.get(
        "/invocations",
        params={
            "function": "many",
            "status": "scheduled,failed",
            "limit": 100,
            "cursor": first["next"],
        },
    ).json()

    assert flat(found) == wanted
    assert [item["id"] for item in first["items"] + rest["items"]] == wanted


@pytest.mark.parametrize("status", ["queued", "scheduled"])
def test_what_waits_is_cut_by_when_it_was_accepted(http, ids, status):
    those = {"function": "many", "status": status, "limit": 1}
    last = moment_in(ids[status][-1])

    since = flat(pages_of_history(http, **those, since=last))
    before = flat(pages_of_history(http, **those, before=last))

    assert ids[status][0] in before
    assert ids[status][-1] in since
    assert sorted(since + before) == sorted(ids[status])


def test_a_page_has_twenty_items_unless_said(http, listed, ids):
    assert ids
    assert len(http.get("/invocations").json()["items"]) <= 20
    assert http.get("/invocations?function=many&limit=17").json()["next"] is None


def test_a_page_is_of_invocations(http, ids):
    [item] = http.get("/invocations?function=many&status=failed&limit=1").json()["items"]

    whole = http.get(f"/invocations/{item['id']}").json()
    assert item == whole


def test_long_arguments_are_left_out_of_lists(http, listed, ids):
    assert ids
    one = http.post("/functions/few", json={"text": "x" * 30_000}).json()["id"]

    [item] = http.get("/invocations?function=few").json()["items"]
    http.delete(f"/invocations/{one}")

    assert (item["arguments"], item["arguments_omitted"]) == (None, True)
    assert len(http.get(f"/invocations/{one}").json()["arguments"]["text"]) == 30_000


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("limit=ten", "?limit"),
        ("status=done", "?status"),
        ("function=No%20name", "?function"),
        ("tag=", "?tag"),
        ("before=yesterday", "?before"),
        ("before=2026-01-01T00:00:00", "?before"),
        ("since=2026-01-01", "?since"),
        ("cursor=", "?cursor"),
        ("cursor=nonsense", "?cursor"),
        ("cursor=" + "A" * 600, "?cursor"),
        ("lmiit=3", "?lmiit"),
        ("status=failed,done", "?status"),
        ("status=failed,", "?status"),
        ("status=", "?status"),
        ("status=failed&status=done", "?status"),
        ("&".join(["status=failed"] * 9), "?status"),
        ("function=many&function=few", "?function"),
    ],
)
def test_what_is_wrong_is_named(http, query, pointer):
    answer = http.get(f"/invocations?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "parameter_invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_cursor_is_good_for_its_list_alone(http, ids):
    assert ids
    query = {"function": "many", "status": "succeeded", "limit": 2}
    cursor = http.get("/invocations", params=query).json()["next"]

    other_limit = http.get("/invocations", params={**query, "limit": 5, "cursor": cursor})
    others = [
        http.get("/invocations", params={"cursor": cursor}),
        http.get("/invocations", params={**query, "status": "failed", "cursor": cursor}),
        http.get("/invocations", params={**query, "status": "queued", "cursor": cursor}),
        http.get("/invocations", params={**query, "tag": "t0", "cursor": cursor}),
        http.post("/invocations/retry", params={**query, "cursor": cursor}),
    ]

    assert other_limit.status_code == 200
    for answer in others:
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "?cursor"
