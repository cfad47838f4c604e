"""What scripts publish is answered from a template where that is meant, and as the view does it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.invoke.response_templates import SucceededTemplates
from runtime.invocations.record import record_from_notice
from runtime.invocations.view import invocation_json
from tests.support.life import Life
from tests.support.listener import Listener

ARGUMENTS = b'{"n":1}'
TRACED = {"caller": "me", "traceparent": "00-1-2-01"}


def notice_of_end(
    life: Life, redis_url: str, ending: dict[str, Any], call_options: dict[str, Any]
) -> bytes:
    heard = Listener(redis_url, life.key("inbox", "g1"))
    life.submit(waiters="g1", arguments=ARGUMENTS, **call_options)
    life.settle(life.claim_one(), **ending)
    return heard.one()


@pytest.mark.parametrize("limits", ["", "5 0 0"])
@pytest.mark.parametrize(
    "call_options",
    [{}, {"caller": "me"}, TRACED, {**TRACED, "tracestate": "a=b", "priority": 7, "key": "k"}],
)
def test_usual_ends_are_written_from_a_template(
    life: Life, redis_url: str, call_options: dict[str, Any], limits: str
):
    if limits:
        life.command("HSET", life.key("limits"), "f", limits)

    reported = notice_of_end(life, redis_url, {}, call_options)

    written = SucceededTemplates().write(reported, ARGUMENTS)
    assert written == invocation_json(record_from_notice(reported, ARGUMENTS))


@pytest.mark.parametrize(
    ("ending", "call_options"),
    [
        ({"status": "failed", "error": b'{"type":"exception"}'}, {}),
        ({"result": b"\x00", "result_type": "bytes", "media_type": "image/png"}, {}),
        ({}, {"tags": ("a",)}),
        ({}, {"callback": "https://example.com/hook"}),
        ({}, {"retry_of": "another"}),
        ({}, {"batch": "b"}),
    ],
)
def test_what_shows_more_is_left_to_the_view(
    life: Life, redis_url: str, ending: dict[str, Any], call_options: dict[str, Any]
):
    reported = notice_of_end(life, redis_url, ending, call_options)

    assert SucceededTemplates().write(reported, ARGUMENTS) is None
