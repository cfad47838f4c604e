"""What is shown of a call under way, where nobody looks at a terminal."""

from __future__ import annotations

import json

import pytest

from gateway.cli.call.live_view import LiveView
from penstock.client.event_stream import StreamedEvent


def event_of_view(name: str, data: object) -> StreamedEvent:
    return StreamedEvent(id="1.1.1-0", name=name, data=json.dumps(data))


EVENTS = [
    event_of_view("status", {"status": "running", "attempt": 1}),
    event_of_view("log", "half a "),
    event_of_view("log", "line\nand a"),
    event_of_view("progress", {"done": 1, "total": 3, "message": "so far"}),
    event_of_view("item", {"n": 1}),
    event_of_view("item", "text"),
    event_of_view("event", {"hello": "you"}),
    event_of_view("log", "nother"),
    event_of_view("end", {"status": "succeeded"}),
]


def test_items_go_to_standard_output_and_whole_log_lines_to_standard_error(
    capsys: pytest.CaptureFixture[str],
):
    with LiveView("count", with_logs=True, with_items=True) as view:
        for one in EVENTS:
            view.show(one)

    shown = capsys.readouterr()
    assert shown.out == '{"n": 1}\ntext\n'
    assert shown.err == 'half a line\nevent: {"hello": "you"}\nand another\n'
    assert view.items == [{"n": 1}, "text"]


def test_nothing_is_shown_unasked(capsys: pytest.CaptureFixture[str]):
    with LiveView("count", with_logs=False, with_items=False) as view:
        for one in EVENTS:
            view.show(one)

    assert capsys.readouterr() == ("", "")


def test_another_attempt_yields_from_the_beginning():
    with LiveView("count", with_logs=False, with_items=True) as view:
        for one in [*EVENTS, event_of_view("status", {"status": "running", "attempt": 2})]:
            view.show(one)

    assert view.items == []
