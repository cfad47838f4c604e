"""What listens to an attempt while it runs, on the worker's side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from runtime.errors import ChannelGarbledError
from runtime.execution.attempt_output import truncation_mark

OnNote = Callable[[str, bytes], None]
OnWait = Callable[[], None]


@dataclass(slots=True, eq=False)
class Logs:
    """Output as it comes from a runner, bounded here too."""

    max_bytes: int
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def add(self, data: bytes) -> bytes:
        """Keep what fits, and return it; the runner's own truncation mark does fit."""
        room = self.max_bytes + len(truncation_mark(self.max_bytes)) - self._size
        kept = data[: max(room, 0)]
        if kept:
            self._parts.append(kept)
            self._size += len(kept)
        return kept

    def text(self) -> bytes:
        """Return all that was kept."""
        return b"".join(self._parts)


class Ears(NamedTuple):
    """What listens to an attempt.

    Attributes:
        logs: Its output.
        on_note: Is told ("log" | "progress" | "item" | "event", data).
        on_wait: Is told that it does not end at once.
    """

    logs: Logs
    on_note: OnNote
    on_wait: OnWait

    def hear(self, kind: str, payload: bytes) -> None:
        """Pass on what the attempt tells."""
        if kind == "log":
            payload = self.logs.add(payload)
        if payload:
            self.on_note(kind, payload)


def bounded(on_note: OnNote, most_item_bytes: int) -> OnNote:
    """Pass notes on, but no more items than an honest runner sends."""
    left = most_item_bytes

    def pass_on(kind: str, payload: bytes) -> None:
        nonlocal left
        if kind == "item":
            left -= len(payload)
            if left < 0:
                raise ChannelGarbledError("more items than a result holds")
        on_note(kind, payload)

    return pass_on
