"""What a function reports while it runs, as callers would see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runtime.sdk.context import Number


class Progress(NamedTuple):
    """One report of progress; equal to the tuple of its values."""

    done: Number
    total: Number | None
    message: str


@dataclass(slots=True)
class Notes:
    """The reports of one call, in order; events and items are decoded JSON."""

    progress: list[Progress] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)

    def add_progress(self, done: Number, total: Number | None, message: str) -> None:
        """Keep a report."""
        self.progress.append(Progress(done, total, message))
