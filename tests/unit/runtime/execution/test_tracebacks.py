"""Tracebacks: bounded, without our frames, and never an error of their own."""

from __future__ import annotations

import json

from runtime.execution.outcome import Ending
from runtime.execution.retry_decision import error_json
from runtime.execution.tracebacks import (
    MAX_MESSAGE_CHARACTERS,
    MAX_TRACEBACK_CHARACTERS,
    message_of,
    shorten,
    traceback_of,
    type_names,
)


def caught(function, *arguments):
    try:
        function(*arguments)
    except BaseException as error:  # noqa: BLE001 - any
        return error
    raise AssertionError("nothing raised")


def test_chained_exceptions_are_told_without_frames_of_the_runtime():
    def chain():
        try:
            shorten(None, 5)  # raises inside the runtime
        except TypeError as error:
            raise ValueError("outer") from error

    text = traceback_of(caught(chain))

    assert "TypeError" in text
    assert "ValueError: outer" in text
    assert "The above exception was the direct cause" in text
    assert "runtime/execution" not in text.replace("tests/unit/runtime/execution", "")


def test_long_texts_keep_beginning_and_end():
    error = ValueError("begin" + "x" * 1_000_000 + "end")

    message, trace = message_of(error), traceback_of(error)

    assert len(message) <= MAX_MESSAGE_CHARACTERS
    assert len(trace) <= MAX_TRACEBACK_CHARACTERS
    assert message.startswith("begin")
    assert message.endswith("end")


def test_exceptions_that_misbehave_are_described():
    class OddError(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    assert message_of(OddError()) == "<OddError that cannot be shown as text>"
    assert "OddError" in traceback_of(OddError())


def test_lone_surrogates_do_not_reach_the_json():
    error = caught(lambda: (_ for _ in ()).throw(ValueError("\ud800")))
    ending = Ending(kind="exception", message=message_of(error), traceback=traceback_of(error))

    assert json.loads(error_json("exception", ending))["message"] == "?"


def test_names_go_from_the_class_to_its_bases():
    assert type_names(ConnectionResetError()) == (
        "ConnectionResetError",
        "ConnectionError",
        "OSError",
        "Exception",
        "BaseException",
    )


def test_a_cycle_of_causes_ends():
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first

    assert "ValueError: a" in traceback_of(first)
