"""A function that speaks for its runner: nothing that is no JSON gets into its record."""

from __future__ import annotations

import json

import pytest

from tests.integration.execution.written import write

SPEAK = """
import gc
from runtime.execution import runner_protocol as frames
from runtime.execution.outcome import Ending
from runtime.execution.runner_main import RunnerMain
from runtime.execution.runner_codec import encode_ending

def speak(kind, *parts):
    runner = next(each for each in gc.get_objects() if type(each) is RunnerMain)
    runner._channel.send(kind, b"%d" % runner._serial, *parts)

def answer(result, **said):
    speak(frames.DONE, encode_ending(Ending(**({"kind": "succeeded"} | said))), result, b"5")
"""
NO_JSON = [
    b'1,"status":"failed"',
    b"}}}",
    b"",
    b"NaN",
    b"[1e999]",
    b'{"a":1,"a":2}',
    b"[" * 65 + b"]" * 65,
    b"1" * 4_301,
    b'"\xff"',
    b'"\\ud800"',
    b"\xef\xbb\xbf1",
]


@pytest.mark.parametrize("text", NO_JSON)
def test_a_forged_result_that_is_no_json_ends_the_attempt(bench, text):
    outcome = bench.run(write(f"{SPEAK}\ndef f():\n    answer({text!r})\n    return 1\n"))

    assert outcome.status == "lost"
    assert outcome.result == b""
    assert "the runner broke its channel" in json.loads(outcome.error)["message"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [*(("EVENT", text) for text in NO_JSON), ("PROGRESS", NO_JSON[0]), ("ITEM", NO_JSON[0])],
)
def test_a_forged_note_that_is_no_json_is_not_passed_on(bench, kind, text):
    outcome = bench.run(write(f"{SPEAK}\ndef f(): speak(frames.{kind}, {text!r})\n"))

    assert outcome.status == "lost"
    assert [reported for _, reported, _ in bench.frames if reported != "log"] == []


def test_progress_is_an_object(bench):
    outcome = bench.run(write(f"{SPEAK}\ndef f(): speak(frames.PROGRESS, b'1')\n"))

    assert (outcome.status, bench.frames) == ("lost", [])


@pytest.mark.parametrize(
    "said",
    [
        "kind='cancelled'",
        "kind='lost'",
        "result_type='text'",
        "result_type='bytes', media_type='text/html\\r\\nx: y'",
        "result_type='bytes', media_type='html'",
        "media_type='text/html'",
        "kind='exception', message='x' * 2_000_000",
    ],
)
def test_a_forged_ending_is_no_other_than_a_runner_has(bench, said):
    outcome = bench.run(write(f"{SPEAK}\ndef f():\n    answer(b'1', {said})\n    return 1\n"))

    assert outcome.status == "lost"


def test_what_says_that_memory_is_gone_is_no_success(bench):
    source = f"{SPEAK}\ndef f(): speak(frames.FULL)\n"
    ending = "encode_ending(Ending(kind='succeeded'))"
    source = source.replace('b"%d" % runner._serial, *parts', ending)

    outcome = bench.run(write(source))

    assert outcome.status == "lost"


def test_what_is_json_may_be_said_by_whoever(bench):
    outcome = bench.run(write(f"{SPEAK}\ndef f():\n    answer(b'[1]')\n    return 2\n"))

    assert (outcome.status, outcome.result) == ("succeeded", b"[1]")
