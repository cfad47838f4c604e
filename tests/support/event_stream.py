"""Reading a stream of server-sent events as a browser does (HTML standard, section 9.2)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Heard:
    """One event: its id, its name and its data."""

    id: str
    name: str
    data: str

    @property
    def value(self) -> Any:
        """The data as JSON says."""
        return json.loads(self.data)


def parse(lines: Iterable[str]) -> Iterator[Heard]:
    """Yield the events in lines; what a connection cut off before its blank line is none."""
    last_id, name, data = "", "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield Heard(last_id, name or "message", "\n".join(data))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id":
            last_id = value


@contextmanager
def streaming(
    http: httpx.Client, invocation_id: str, last_id: str = "", *, timeout_s: float = 20
) -> Iterator[Iterator[Heard]]:
    """Open the stream of an invocation; the connection is dropped when the block ends."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    path = f"/invocations/{invocation_id}/events"
    with http.stream("GET", path, headers=headers, timeout=timeout_s) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream"
        yield parse(answer.iter_lines())


def follow(http: httpx.Client, invocation_id: str, last_id: str = "") -> list[Heard]:
    """Return all events until the stream is closed."""
    with streaming(http, invocation_id, last_id) as events:
        return list(events)
