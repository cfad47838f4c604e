"""Lines about changes of status: whole, readable by machines, quiet where they are many."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from runtime.logs import configure_logs
from runtime.telemetry.lifecycle_log import LifecycleEvent, log_events, logs_routine

STARTED = LifecycleEvent(event="invocation_started", id="i-1", function="f", attempt=1, worker="w")
FAILED = LifecycleEvent(
    event="invocation_failed", id="i-2", function="f", attempt=2, error_type="timeout"
)
REFUSED = LifecycleEvent(event="late_result_refused", id="i-3", function="f", attempt=1)


@pytest.fixture(autouse=True)
def _usual_logs():
    yield
    configure_logs("info", "text")


def test_in_json_every_change_is_one_line_with_its_ids(capsys):
    configure_logs("info", "json")

    log_events([STARTED, FAILED, REFUSED])

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for line in lines:
        assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is not None
    assert lines == [
        {
            "event": "invocation_started",
            "level": "info",
            "id": "i-1",
            "function": "f",
            "attempt": 1,
            "worker": "w",
        },
        {
            "event": "invocation_failed",
            "level": "info",
            "id": "i-2",
            "function": "f",
            "attempt": 2,
            "error_type": "timeout",
        },
        {
            "event": "late_result_refused",
            "level": "warning",
            "id": "i-3",
            "function": "f",
            "attempt": 1,
        },
    ]


def test_for_people_the_usual_changes_are_left_to_the_level_debug(capsys):
    configure_logs("info", "text")
    log_events([STARTED, FAILED])
    usual = capsys.readouterr().err
    configure_logs("debug", "text")
    log_events([STARTED])
    debug = capsys.readouterr().err

    assert "invocation_started" not in usual
    assert "invocation_failed" in usual
    assert "function=f" in usual
    assert "id=i-2" in usual
    assert "invocation_started" in debug


@pytest.mark.parametrize(
    ("level", "log_format", "expected"),
    [
        *(("info", "json", True), ("warning", "json", False)),
        *(("debug", "text", True), ("info", "text", False)),
    ],
)
def test_who_has_many_changes_can_ask_whether_to_make_them(level, log_format, expected):
    configure_logs(level, log_format)

    assert logs_routine() is expected


def test_what_the_level_leaves_out_is_not_written(capsys):
    configure_logs("warning", "json")

    log_events([STARTED, FAILED, REFUSED])

    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "late_result_refused"
