"""Asking for a consistency check, and reading what it found."""

from __future__ import annotations

import pytest

from runtime.store.check_commands import Finding, save_check, take_check

FINDING = Finding(kind="missing_lease", id="x", actual="is", expected="should", is_repaired=False)


def finish_check(gateway, *findings: Finding) -> None:
    """Be the worker that runs the next check."""
    taken = gateway.connection.run(take_check("w", own_id="own"))
    gateway.connection.run(save_check(taken.id, "w", looked_at=7, findings=findings, is_last=True))


def test_a_check_is_accepted_run_and_read(gateway, http):
    asked = http.post("/checks", json={"repair": True})
    waiting = http.get(asked.headers["location"])
    finish_check(gateway, FINDING)
    ended = http.get(asked.headers["location"]).json()

    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
    assert waiting.json() == asked.json()
    assert (ended["state"], ended["repair"], ended["looked_at"]) == ("finished", True, 7)
    assert ended["found"] == ended["left"] == {"missing_lease": 1}
    assert ended["findings"] == [
        {"kind": "missing_lease", "id": "x", "is": "is", "should": "should", "repaired": False}
    ]
    assert http.get("/checks/last").json() == ended
    assert http.get("/checks").json()["items"][0]["id"] == ended["id"]


def test_without_a_body_nothing_is_mended(gateway, http):
    asked = http.post("/checks")
    finish_check(gateway)

    assert asked.json()["repair"] is False
    assert http.get("/checks/last").json()["left"] == {}


@pytest.mark.parametrize(
    ("body", "pointer"), [({"repair": "yes"}, "/repair"), ({"mend": True}, "/mend")]
)
def test_what_is_no_wish_is_refused(http, body, pointer):
    answer = http.post("/checks", json=body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_an_unknown_check_is_404(http):
    answer = http.get("/checks/nothing")

    assert (answer.status_code, answer.json()["code"]) == (404, "check_not_found")


def test_the_metrics_show_what_was_left(gateway, http):
    http.post("/checks")
    finish_check(gateway, FINDING, FINDING)

    text = http.get("/metrics").text

    assert 'penstock_check_findings{kind="missing_lease"} 2.0' in text
    assert 'penstock_check_findings{kind="wrong_count"} 0.0' in text
    [line] = [one for one in text.splitlines() if one.startswith("penstock_check_finished_")]
    assert float(line.split()[1]) > 0
