"""Following an invocation by its events, over connections that break."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.cli.client.api_client import System
from gateway.cli.client.event_stream import follow
from gateway.cli.errors import CommandError, ExitCode
from tests.support.receiver import Behaviour, Received, Receiver, status

PATH = "/invocations/one/events"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def system(receiver: Receiver) -> System:
    return System(receiver.url(""))


def event_text(event_id: str, name: str, data: object) -> bytes:
    return f"id: {event_id}\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode()


def stream(*pieces: bytes) -> Behaviour:
    """Send these and close."""

    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"".join(pieces))

    return answer


def test_a_broken_stream_goes_on_behind_the_last_event(receiver: Receiver):
    receiver.behave(
        PATH,
        stream(
            event_text("1.1.1-0", "log", "a"),
            event_text("1.1.2-0", "log", "b"),
            b'id: 1.1.3-0\ndata: "',
        ),
        status(503, "Retry-After: 1"),
        stream(event_text("1.1.3-0", "log", "c"), event_text("1.4.0-0", "end", {})),
    )

    names = [(found.name, found.value()) for found in follow(system(receiver), "one")]

    assert names == [("log", "a"), ("log", "b"), ("log", "c"), ("end", {})]
    asked_behind = [request.headers.get("last-event-id") for request in receiver.at(PATH)]
    assert asked_behind == [None, "1.1.2-0", "1.1.2-0"]


def test_an_unknown_invocation_is_refused_at_once(receiver: Receiver):
    problem = json.dumps({"detail": "No such.", "code": "invocation_not_found"}).encode()
    receiver.behave(PATH, status(404, body=problem))

    with pytest.raises(CommandError, match="invocation_not_found") as caught:
        list(follow(system(receiver), "one"))

    assert caught.value.exit_code == ExitCode.REFUSED
    assert len(receiver.at(PATH)) == 1


def test_a_system_that_stays_away_is_told_with_the_next_step(receiver: Receiver):
    receiver.behave(PATH, status(503))

    with pytest.raises(CommandError, match="penstock logs one -f") as caught:
        list(follow(system(receiver), "one", patience_s=0.05))

    assert caught.value.exit_code == ExitCode.UNREACHABLE
