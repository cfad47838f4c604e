"""`record` keeps what callers would see of a call, and puts everything back."""

from __future__ import annotations

import logging
import sys

import pytest

from penstock import Context, Retry
from penstock.testing import ArgumentsError, record
from tests.unit.runtime.testing import functions_to_call as functions


def test_everything_that_a_function_reports_is_kept():
    recorded = record(functions.report)

    assert recorded.error is None
    assert recorded.result == recorded.items == [{"number": 1}, {"number": 2}]
    assert recorded.progress == [(1, 2, "at 1"), (2, 2, "at 2")]
    assert recorded.events == [{"raw": "AA=="}, {"raw": "AA=="}]


def test_what_was_yielded_before_a_failure_is_kept():
    recorded = record(functions.report, count=3)

    assert isinstance(recorded.error, ValueError)
    assert recorded.result is None
    assert len(recorded.items) == 3
    assert recorded.progress[-1].message == "at 3"


def test_output_is_kept_in_order_and_still_shown(capsys: pytest.CaptureFixture[str]):
    recorded = record(functions.speak, ctx=Context(attempt=2))

    shown = capsys.readouterr()
    assert recorded.logs.splitlines() == [
        "printed",
        "bytés",
        "to stderr",
        "INFO penstock.function: attempt 2",
        "INFO app: logged",
    ]
    assert shown.out == "printed\nbytés\n"
    assert shown.err == "to stderr\n"


def test_nothing_stays_as_it_was_set_for_the_call(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.WARNING)
    before = (sys.stdout, sys.stderr, logging.root.level, list(logging.root.handlers))

    record(functions.fail, how="x")

    assert before == (sys.stdout, sys.stderr, logging.root.level, list(logging.root.handlers))


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [({"how": "retry"}, Retry), ({"how": "exit"}, SystemExit), ({"how": 1}, ArgumentsError)],
)
def test_no_end_of_a_call_is_raised(arguments, kind):
    assert type(record(functions.fail, **arguments).error) is kind


def test_a_report_that_a_system_would_refuse_fails_the_call():
    def emit_object(ctx: Context) -> None:
        ctx.emit(object())

    def say_too_much(ctx: Context) -> None:
        ctx.progress(1, 1, "x" * 300_000)

    assert isinstance(record(emit_object).error, TypeError)
    assert isinstance(record(say_too_much).error, ValueError)
