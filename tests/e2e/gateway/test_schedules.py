"""Schedules over HTTP: what is made, shown, changed and refused, and how it is said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.sdk.options import Options
from runtime.store import function_commands
from tests.support.upkeeping import keeping_up, ticker
from tests.support.waiting import eventually

DAILY = {"function": "greet", "cron": "0 9 * * mon-fri", "arguments": {"name": "Ada"}}
SHAPE = {
    *("id", "function", "arguments", "cron", "timezone", "paused", "overlap", "catch_up"),
    *("next", "last_invocation", "source", "created_at", "fired", "skipped", "last_skipped"),
    *("skips", "links"),
}


@pytest.fixture
def make(http):
    """Make a schedule; whatever a test has made goes at its end."""
    made = []

    def post(**members):
        answer = http.post("/schedules", json={**DAILY, **members})
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["id"])
        return answer.json()

    yield post
    for each in made:
        http.delete(f"/schedules/{each}")


@pytest.fixture
def declared(gateway, http):
    """A function with a schedule of its own."""
    manifest = Manifest(
        name="report",
        version="eeeeeeeeeeee",
        file="report.py",
        parameters={"type": "object", "properties": {}},
        options=Options(schedule="0 6 * * *", timezone="Europe/Berlin"),
    )
    gateway.connection.run(
        function_commands.publish_function(
            "report",
            manifest=encode_manifest(manifest),
            version=manifest.version,
            source=b"",
            schedule=("0 6 * * *", "Europe/Berlin"),
        )
    )
    eventually(lambda: http.get("/functions/report").is_success)
    yield "report"
    gateway.connection.run(function_commands.unpublish_function("report"))


def problem(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {fault["pointer"]: fault["detail"] for fault in answer.json().get("errors", [])}


def test_a_schedule_is_made_with_usual_values_and_shown_with_five_moments(http, make):
    made = make()

    assert set(made) == SHAPE
    assert made["id"].startswith("sch-")
    assert (made["timezone"], made["paused"], made["overlap"], made["catch_up"]) == (
        *("UTC", False, True, False),
    )
    assert (made["source"], made["last_invocation"], made["arguments"]) == (
        *("api", None, {"name": "Ada"}),
    )
    moments = [datetime.fromisoformat(at) for at in made["next"]]
    assert len(moments) == 5
    assert all((at.hour, at.minute, at.weekday() < 5) == (9, 0, True) for at in moments)
    assert moments[0] > datetime.now(UTC)
    assert http.get(made["links"]["self"]).json() == made


def test_location_says_where_it_is(http):
    answer = http.post("/schedules", json=DAILY)

    assert answer.headers["location"] == f"/schedules/{answer.json()['id']}"
    assert http.delete(answer.headers["location"]).status_code == 204


def test_moments_are_those_of_the_time_zone(make):
    made = make(cron="30 0 9 * * *", timezone="Asia/Tokyo")

    assert {at[11:19] for at in made["next"]} == {"00:00:30"}


def test_arguments_are_kept_as_they_came(http):
    body = b'{"function":"greet","cron":"0 9 * * *","arguments":{"name":"A", "times":  12}}'

    answer = http.post("/schedules", content=body, headers={"Content-Type": "application/json"})

    assert b'{"name":"A", "times":  12}' in answer.content
    http.delete(answer.headers["location"])


def test_the_list_goes_page_by_page(http, make):
    ids = sorted(make()["id"] for _ in range(3))

    first = http.get("/schedules", params={"limit": 2})
    second = http.get(first.links["next"]["url"])

    assert [each["id"] for each in first.json()["items"]] == ids[:2]
    assert [each["id"] for each in second.json()["items"]] == ids[2:]
    assert second.json()["next"] is None


def test_pausing_and_resuming(http, make):
    here = make()["links"]["self"]

    paused = http.patch(here, json={"paused": True}).json()
    assert (paused["paused"], paused["next"]) == (True, [])

    resumed = http.patch(here, json={"paused": False}).json()
    assert (resumed["paused"], len(resumed["next"])) == (False, 5)


def test_changing(http, make):
    here = make()["links"]["self"]
    change = {
        "cron": "0 0 1 1 *",
        "timezone": "Asia/Tokyo",
        "arguments": {"name": "Grace"},
        "overlap": False,
        "catch_up": True,
    }

    changed = http.patch(here, json=change).json()

    assert {name: changed[name] for name in change} == change
    assert http.get(here).json() == changed


def test_firing_now_makes_an_invocation_even_when_paused(http, make):
    made = make(paused=True, arguments={"name": "Ada"})

    answer = http.post(made["links"]["fire"])

    assert answer.status_code == 202
    born = answer.json()
    assert answer.headers["location"] == f"/invocations/{born['id']}"
    assert (born["function"], born["arguments"]) == ("greet", {"name": "Ada"})
    assert http.get(answer.headers["location"]).json() == born
    assert http.get(made["links"]["self"]).json()["last_invocation"] == born["id"]


def test_ticks_are_counted_and_the_last_one_is_named(gateway, http, make):
    made = make(cron="* * * * * *")
    with keeping_up(gateway.redis_url, ticker):
        seen = eventually(lambda: (s := http.get(made["links"]["self"]).json())["fired"] and s)

    last = http.get(seen["links"]["last_invocation"]).json()
    assert last["id"] == seen["last_invocation"]
    assert last["tags"] == [f"schedule:{made['id']}"]
    assert last["scheduled_for"].endswith(".000Z")


@pytest.mark.parametrize(
    ("members", "pointer", "says"),
    [
        ({"cron": "61 * * * *"}, "/cron", "minute field '61': takes 0-59"),
        ({"cron": "* * * *"}, "/cron", "this one has 4"),
        ({"cron": "@reboot"}, "/cron", "no fixed time"),
        ({"cron": "0 0 30 2 *"}, "/cron", "day-of-month"),
        ({"cron": "0 0 */30 2 mon#2"}, "/cron", "never comes"),
        ({"cron": 5}, "/cron", "takes a cron line"),
        ({"cron": "1," * 200 + "1 * * * *"}, "/cron", "at most 250"),
        ({"timezone": "Mars/Olympus"}, "/timezone", "such as 'UTC' or 'Europe/Berlin'"),
        ({"timezone": "../etc/passwd"}, "/timezone", "name of a time zone"),
        ({"timezone": None}, "/timezone", "name of a time zone"),
        ({"paused": "yes"}, "/paused", "takes true or false"),
        ({"overlap": 1}, "/overlap", "takes true or false"),
        ({"catch_up": None}, "/catch_up", "takes true or false"),
        ({"arguments": [1]}, "/arguments", "takes an object"),
        ({"arguments": {"name": 1}}, "/arguments/name", "string"),
        ({"arguments": {}}, "/arguments/name", "is required"),
        ({"arguments": {"name": "A", "tmes": 2}}, "/arguments/tmes", "did you mean 'times'"),
        ({"function": 7}, "/function", "takes the name"),
        ({"function": "hook"}, "/function", "takes the HTTP request"),
        ({"crn": "x"}, "/crn", "did you mean 'cron'"),
        ({"id": "mine"}, "/id", "cannot be set"),
        ({"a/b~c": 1}, "/a~1b~0c", "is unknown"),
    ],
)
def test_what_is_wrong_is_named_with_what_it_takes(http, members, pointer, says):
    given = {**DAILY, "arguments": {} if members.get("function") == "hook" else DAILY["arguments"]}

    faults = problem(http.post("/schedules", json={**given, **members}), 422, "schedule_invalid")

    assert says in faults[pointer]
    assert http.get("/schedules").json()["items"] == []


def test_every_fault_is_named_at_once(http):
    answer = http.post("/schedules", json={"timezone": "X", "paused": 0})

    assert set(problem(answer, 422, "schedule_invalid")) == {
        *("/function", "/cron", "/timezone", "/paused"),
    }


def test_a_function_that_is_unknown_or_never_loaded_cannot_be_scheduled(http):
    unknown = http.post("/schedules", json={**DAILY, "function": "nobody"})
    broken = http.post("/schedules", json={**DAILY, "function": "broken"})

    problem(unknown, 404, "function_not_found")
    problem(broken, 503, "function_unavailable")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({}, ""),
        ({"function": "greet"}, "/function"),
        ({"cron": "x"}, "/cron"),
        ({"arguments": {"name": 1}}, "/arguments/name"),
        ({"next": []}, "/next"),
    ],
)
def test_a_wrong_change_changes_nothing(http, make, change, pointer):
    made = make()

    answer = http.patch(made["links"]["self"], json={"paused": True, **change} if change else {})

    assert pointer in problem(answer, 422, "schedule_invalid")
    assert http.get(made["links"]["self"]).json()["paused"] is False


def test_the_body_must_be_json(http):
    broken = http.post("/schedules", content=b"{", headers={"Content-Type": "application/json"})
    form = http.post("/schedules", data={"function": "greet"})

    problem(broken, 400, "invalid_json")
    problem(form, 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/schedules/sch-x", "/schedules/greet"])
def test_one_that_is_not_there_is_404_for_everything(http, path):
    problem(http.get(path), 404, "schedule_not_found")
    problem(http.patch(path, json={"paused": True}), 404, "schedule_not_found")
    problem(http.delete(path), 404, "schedule_not_found")
    problem(http.post(f"{path}/fire"), 404, "schedule_not_found")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [({"limit": "0"}, "?limit"), ({"cursor": "x"}, "?cursor"), ({"page": "2"}, "?page")],
)
def test_a_wrong_query_is_refused(http, query, pointer):
    assert pointer in problem(http.get("/schedules", params=query), 422, "parameter_invalid")


def test_a_function_s_own_schedule_is_shown_paused_and_fired(http, declared):
    own = http.get(f"/schedules/{declared}").json()
    assert (own["id"], own["function"], own["source"]) == ("report", "report", "decorator")
    assert (own["cron"], own["timezone"]) == ("0 6 * * *", "Europe/Berlin")

    assert http.patch(f"/schedules/{declared}", json={"paused": True}).json()["paused"]
    assert http.post(f"/schedules/{declared}/fire").status_code == 202
    assert not http.patch(f"/schedules/{declared}", json={"paused": False}).json()["paused"]


def test_a_function_s_own_schedule_is_not_redefined_or_deleted(http, declared):
    redefined = http.patch(f"/schedules/{declared}", json={"cron": "* * * * *", "paused": True})
    deleted = http.delete(f"/schedules/{declared}")

    problem(redefined, 409, "schedule_declared")
    problem(deleted, 409, "schedule_declared")
    assert "report.py" in redefined.json()["detail"]
    assert http.get(f"/schedules/{declared}").json()["cron"] == "0 6 * * *"
