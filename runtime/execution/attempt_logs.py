"""The output of an attempt while it runs, on the worker's side."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.execution.runner_output import truncation_mark


@dataclass(slots=True, eq=False)
class AttemptLogs:
    """Output as it comes from a call of the thread lane, bounded."""

    max_bytes: int
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def add(self, data: bytes) -> bytes:
        """Keep what fits, and return it; a truncation mark fits beyond the bound."""
        room = self.max_bytes + len(truncation_mark(self.max_bytes)) - self._size
        kept = data[: max(room, 0)]
        if kept:
            self._parts.append(kept)
            self._size += len(kept)
        return kept

    def text(self) -> bytes:
        """Return all that was kept."""
        return b"".join(self._parts)
