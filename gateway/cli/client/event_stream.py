"""Following an invocation: its server-sent events until it ends.

Used by `invoke --wait` and `logs -f`. If the connection is lost, it is opened again after the last
event that was received (Last-Event-ID), so that no event is missed or shown twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse

from gateway.cli.client.api_client import System, accept, path_to, read_answer
from gateway.cli.errors import CommandError, ExitCode
from penstock.client.event_stream import END, StreamedEvent, parse_events

_SILENCE_S = 60.0  # longer than the gateway is ever silent on an event stream
_PATIENCE_S = 60.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_OK = 200
_MAY_PASS = frozenset({429, 500, 502, 503, 504})


def follow(
    system: System, invocation_id: str, *, patience_s: float = _PATIENCE_S
) -> Iterator[StreamedEvent]:
    """Yield every event of an invocation until its `end` event.

    Raises:
        CommandError: The invocation is unknown, or the system was away for `patience_s` seconds.
    """
    path = path_to("invocations", invocation_id, "events")
    last_id = ""
    lost_at: float | None = None
    pause_s = _FIRST_PAUSE_S
    while True:
        failure: Exception | None = None
        try:
            for event in _read_once(system, path, last_id):
                last_id, lost_at, pause_s = event.id or last_id, None, _FIRST_PAUSE_S
                yield event
                if event.name == END:
                    return
        except (OSError, HTTPException) as error:
            failure = error
        now = time.monotonic()
        lost_at = now if lost_at is None else lost_at
        if now - lost_at > patience_s:
            raise CommandError(
                f"lost the connection to {system.url}; the invocation goes on: "
                + system.hint("logs", invocation_id, "-f"),
                exit_code=ExitCode.UNREACHABLE,
            ) from failure
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _read_once(system: System, path: str, last_id: str) -> Iterator[StreamedEvent]:
    """Yield the events that one connection sends, after `last_id`."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
    with system.stream(path, headers, silence_s=_SILENCE_S) as response:
        if response.status in _MAY_PASS:
            raise HTTPException(f"HTTP status {response.status}")
        if response.status != _OK:
            _refuse(response)
        yield from parse_events(response)


def _refuse(response: HTTPResponse) -> None:
    accept(read_answer(response))
    raise HTTPException(f"HTTP status {response.status} without events")
