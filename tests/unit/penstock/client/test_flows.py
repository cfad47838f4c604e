"""What the client asks for one call, in which order."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from penstock.client.errors import (
    AlreadyFinishedError,
    NotFoundError,
    NotPenstockError,
    UnreachableError,
    WaitTimeoutError,
)
from penstock.client.event_stream import StreamedEvent
from penstock.client.steps import Answer, Lost
from tests.support.scripted_flow import answer, problem, record, script

LOST = Lost(reason="reset")
STREAM = Answer(status=200, headers={"content-type": "text/event-stream"})


def test_a_call_that_ends_in_time_is_one_request():
    played = script(answer(record(result={"n": 1})))

    assert played.run(played.caller().call("a/b.c", {"text": "é", "data": b"\xff\xfe"})) == {"n": 1}
    assert played.targets == ["/functions/a%2Fb.c"]
    assert played.headers[0]["Prefer"] == "wait=30"
    assert played.sent[0].request.body == '{"text":"é","data":"//4="}'.encode()


def test_a_longer_call_is_asked_for_until_it_ends():
    running = answer(record("running"))
    played = script(answer(record("queued"), 202), running, LOST, running, answer(record(result=7)))
    played.reply_takes_s = 30

    assert played.run(played.caller().call("shout", {})) == 7
    assert set(played.targets[1:]) == {"/invocations/one"}
    assert {headers["Prefer"] for headers in played.headers} == {"wait=30"}


def test_a_system_that_answers_early_is_not_asked_in_a_tight_loop():
    played = script(*[answer(record("running"))] * 5, answer(record(result=7)))

    played.run(played.caller().call("shout", {}))

    assert played.pauses == [0.5] * 4


def test_a_timeout_ends_the_waiting_and_says_what_goes_on():
    played = script(answer(record("running"), 202), reply_takes_s=4)

    with pytest.raises(WaitTimeoutError, match="one has not ended") as caught:
        played.run(played.caller(timeout=5).call("shout", {}))

    assert caught.value.id == "one"
    assert [headers["Prefer"] for headers in played.headers] == ["wait=5", "wait=1"]


def test_no_timeout_at_all_only_looks():
    played = script(answer(record("running")))
    caller = played.caller()

    with pytest.raises(WaitTimeoutError):
        played.run(caller.result(record("queued"), caller.deadline(0)))

    assert "Prefer" not in played.headers[0]


@pytest.mark.parametrize(
    ("alone", "means"),
    [(b"\x01\x02\x03", b"\x01\x02\x03"), (b'"AQID"', "AQID")],
    ids=["bytes", "a text that happens to be base64"],
)
def test_bytes_are_told_from_text(alone: bytes, means: object):
    shown = base64.b64encode(b"\x01\x02\x03").decode()
    played = script(answer(record(result=shown)), Answer(status=200, body=alone))

    assert played.run(played.caller().call("shout", {})) == means
    assert played.targets[1] == "/invocations/one/result"


def test_a_text_that_is_no_base64_is_not_asked_for_again():
    played = script(answer(record(result="Hello, world!")))

    assert played.run(played.caller().call("shout", {})) == "Hello, world!"
    assert len(played.sent) == 1


def test_arguments_without_a_form_in_json_are_refused_before_anything_is_sent():
    played = script(LOST)

    with pytest.raises(TypeError, match="of type datetime"):
        played.run(played.caller().call("shout", {"at": datetime.now(UTC)}))
    with pytest.raises(ValueError, match="JSON compliant"):
        played.run(played.caller().call("shout", {"at": float("nan")}))

    assert played.sent == []


def test_options_stand_beside_the_arguments():
    played = script(answer(record("queued"), 202))
    caller = played.caller(
        delay=timedelta(minutes=5),
        run_at=datetime(2026, 11, 22, 9, 30, tzinfo=timezone(timedelta(hours=1))),
        priority=0,
        fairness_key="customer 7",
        max_age=1.5,
        tags=["a", "b"],
        callback="https://shop.example/done",
        idempotency_key="once",
    )

    played.run(caller.submit("shout", {"delay": "mine", "key": "mine"}))

    assert played.targets[0].partition("?")[2] == (
        "delay=300.000s&run_at=2026-11-22T09%3A30%3A00%2B01%3A00&priority=0&key=customer+7"
        "&max_age=1.500s&tag=a&tag=b"
    )
    assert played.headers[0]["Idempotency-Key"] == "once"
    assert played.headers[0]["X-Callback-Url"] == "https://shop.example/done"
    assert json.loads(played.sent[0].request.body or b"") == {"delay": "mine", "key": "mine"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"run_at": datetime(2026, 1, 1)}, "time zone"),  # noqa: DTZ001
        ({"callback": "https://a.example\r\nX: y"}, "printable ASCII"),
        ({"idempotency_key": "ключ"}, "printable ASCII"),
    ],
)
def test_options_that_cannot_be_sent_are_refused(options, said):
    played = script(LOST)

    with pytest.raises(ValueError, match=said):
        played.run(played.caller(**options).submit("shout", {}))


def test_an_unknown_option_is_refused():
    with pytest.raises(TypeError, match="dely"):
        script(LOST).caller().with_options(dely=5)  # type: ignore[call-arg]


def test_something_else_at_the_address_is_named():
    for found in (Answer(status=200, body=b"<html>"), answer({"hello": 1})):
        played = script(found)
        with pytest.raises(NotPenstockError, match="Penstock system"):
            played.run(played.caller().submit("shout", {}))


def test_cancelling_again_changes_nothing():
    over = answer({"code": "invocation_finished", "invocation": record("cancelled")}, 409)
    played = script(LOST, over)

    assert played.run(played.caller().cancel("one"))["status"] == "cancelled"

    played = script(answer({"code": "invocation_finished", "invocation": record()}, 409))
    with pytest.raises(AlreadyFinishedError):
        played.run(played.caller().cancel("one"))


def event_text(event_id: str, name: str) -> bytes:
    return f'id: {event_id}\nevent: {name}\ndata: "{event_id}"\n\n'.encode()


def test_a_broken_stream_goes_on_behind_the_last_event():
    played = script(
        *(LOST, STREAM, event_text("1", "log"), b'id: 2\ndata: "', LOST),
        *(problem("store_unavailable", 503), STREAM),
        *(event_text("2", "log") + event_text("3", "end"),),
    )

    played.run(played.caller().events("one", ""))

    assert played.emitted == [
        StreamedEvent(id=number, name=name, data=f'"{number}"')
        for number, name in (("1", "log"), ("2", "log"), ("3", "end"))
    ]
    assert [headers.get("Last-Event-ID") for headers in played.headers] == [None, None, "1", "1"]


def test_events_that_were_all_received_are_none():
    played = script(Answer(status=204))

    played.run(played.caller().events("one", "3"))

    assert (played.emitted, len(played.sent)) == ([], 1)


def test_a_stream_that_only_ever_greets_is_given_up():
    played = script(*[STREAM, b"retry: 1000\n\n", LOST] * 100)

    with pytest.raises(UnreachableError):
        played.run(played.caller().events("one", ""))


def test_a_quiet_stream_may_break_as_often_as_it_likes():
    quiet = [STREAM, b"retry: 1000\n\n", b": still here\n\n", LOST]
    played = script(*quiet * 50, STREAM, event_text("1", "end"), reply_takes_s=20)

    played.run(played.caller().events("one", ""))

    assert len(played.emitted) == 1


def test_a_refused_stream_is_an_error():
    played = script(problem("invocation_not_found", 404))

    with pytest.raises(NotFoundError):
        played.run(played.caller().events("one", ""))

    assert len(played.sent) == 1
