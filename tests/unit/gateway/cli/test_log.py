"""The one log: columns, what is left out, and lines for machines."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime

import pytest

from gateway.cli.up.log_merge import LONGEST_LINE_BYTES, Lines, Log, tidy

NOON = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)


def written(name: str, text: str, **options: bool) -> str:
    stream = io.StringIO()
    Log(stream, width=8, clock=lambda: NOON, **options).write(name, text)
    return stream.getvalue()


def test_a_line_says_when_and_from_where():
    assert written("worker-1", "hello") == "12:00:05 worker-1 | hello\n"
    assert written("redis", "hello") == "12:00:05 redis    | hello\n"


def test_colours_are_only_put_in_when_asked_for():
    assert "\x1b[" in written("worker-1", "hello", colour=True)
    assert "\x1b[" not in written("worker-1", "hello")


def test_machines_get_one_json_value_a_line():
    own = written("penstock", "gateway ended", for_machines=True)
    theirs = written("gateway", '{"event": "x"}', for_machines=True)

    assert json.loads(own)["event"] == "gateway ended"
    assert theirs == '{"event": "x"}\n'


def test_a_stream_that_is_gone_silences_the_log_only():
    stream = io.StringIO()
    stream.close()

    Log(stream, width=8, clock=lambda: NOON).write("redis", "hello")


def test_bytes_are_cut_into_lines_whatever_their_portions():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    lines = Lines()
    with os.fdopen(reading, "rb") as output:
        os.write(writing, b"one\ntw")
        first = lines.read(output)
        os.write(writing, b"o\nthree \xff")
        second = lines.read(output)
        nothing = lines.read(output)
        os.close(writing)
        last = lines.read(output)

    assert first == (["one"], False)
    assert second == (["two"], False)
    assert nothing == ([], False)
    assert last == (["three \ufffd"], True)


def test_an_endless_line_is_cut():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(reading, "rb") as output, os.fdopen(writing, "wb") as end:
        end.write(b"x" * (LONGEST_LINE_BYTES + 1))
        end.flush()

        [line], ended = Lines().read(output)

    assert len(line) == LONGEST_LINE_BYTES + 1
    assert not ended


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("12:M 22 Nov 2026 09:14:11.145 # Server initialized", None),
        ("12:M 22 Nov 2026 09:14:11.145 * Ready to accept connections", None),
        ("12:M 22 Nov 2026 09:14:11.145 # Out Of Memory", "Out Of Memory"),
        ("*** FATAL CONFIG FILE ERROR ***", "*** FATAL CONFIG FILE ERROR ***"),
        ("", None),
    ],
)
def test_of_redis_only_alarms_are_shown(line, shown):
    assert tidy(line, is_redis=True) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("2026-11-22T09:30:00.123456Z [info] started id=1", "[info] started id=1"),
        ("[2026-11-22 09:30:00 +0000] [42] [INFO] Booting worker with pid: 42", None),
        ("[2026-11-22 09:30:00 +0000] [42] [ERROR] Exception", "[ERROR] Exception"),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
    ],
)
def test_stamps_and_standing_phrases_are_cut_off(line, shown):
    assert tidy(line, is_redis=False) == shown
