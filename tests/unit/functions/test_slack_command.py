"""A slash command as Slack posts it becomes a poll, or a hint for its sender alone."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from functions.slack_command import slack_command
from penstock import Reject, Request
from runtime.sdk.decorator import declaration_of


def command(text: str, **fields: str) -> Request:
    given = {
        "command": "/poll",
        "text": text,
        "user_id": "U2147483697",
        "channel_id": "C1",
    } | fields
    return Request(method="POST", path="/slack_command", body=urlencode(given).encode())


def test_a_question_and_choices_become_a_message_for_everybody() -> None:
    message = slack_command(command("Wo essen wir? Döner, Sushi , Salat,"))

    assert message["response_type"] == "in_channel"
    question, *choices = message["text"].splitlines()
    assert question == "<@U2147483697> asks: *Wo essen wir?*"
    assert [choice[0] for choice in choices] == ["1", "2", "3"]
    assert [choice.partition(" ")[2] for choice in choices] == ["Döner", "Sushi", "Salat"]


@pytest.mark.parametrize(
    "text", ["", "help", "Lunch?", "Lunch? Pizza", "? a, b", "Which? " + ",".join("abcdefghij")]
)
def test_anything_else_shows_its_sender_how_it_is_used(text: str) -> None:
    message = slack_command(command(text, command="/ask"))

    assert message["response_type"] == "ephemeral"
    assert "`/ask Where do we eat?" in message["text"]


@pytest.mark.parametrize("body", [b"", b"text=a", b"{}", b"\xff"])
def test_what_is_no_slash_command_is_rejected(body: bytes) -> None:
    with pytest.raises(Reject, match="slash command"):
        slack_command(Request(body=body))


def test_only_slack_may_call_it() -> None:
    declared = declaration_of(slack_command)

    assert declared is not None
    assert declared.options.verify is not None
    assert declared.options.verify.scheme == "slack"
