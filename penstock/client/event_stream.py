"""Server-sent events: from what a connection sends to events (HTML standard, section 9.2.6).

Used by the Python client and by the commands. It imports the standard library only, because it is
loaded at the start of commands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

END = "end"
"""The name of the last event of an invocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedEvent:
    """One server-sent event: its id, its name and its data as sent."""

    id: str
    name: str
    data: str

    def value(self) -> Any:  # noqa: ANN401 - any JSON
        """Return the data as a JSON value."""
        return json.loads(self.data)


class EventParser:
    """Parses the stream of one connection, piece by piece.

    An event without its final blank line is incomplete and is dropped.
    """

    def __init__(self) -> None:
        self._left = b""
        self._last_id = ""
        self._name = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[StreamedEvent]:
        """Yield the events that end in the next piece of the stream."""
        *lines, self._left = (self._left + piece).split(b"\n")
        for raw in lines:
            line = raw.decode(errors="replace").rstrip("\r")
            if line:
                self._read_field(line)
                continue
            name, data = self._name or "message", self._data
            self._name, self._data = "", []
            if data:
                yield StreamedEvent(id=self._last_id, name=name, data="\n".join(data))

    def _read_field(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self._last_id = value


def parse_events(pieces: Iterable[bytes]) -> Iterator[StreamedEvent]:
    """Yield the events in the pieces of a stream; a line is a piece, too."""
    parser = EventParser()
    for piece in pieces:
        yield from parser.feed(piece)
