"""The kept output of one attempt in the thread backend, up to a limit."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.execution.runner_output import truncation_mark


@dataclass(slots=True, eq=False)
class AttemptLogs:
    """Collects the output of one call."""

    max_bytes: int
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def add(self, data: bytes) -> bytes:
        """Keep and return what fits; a truncation mark may exceed the limit."""
        room = self.max_bytes + len(truncation_mark(self.max_bytes)) - self._size
        kept = data[: max(room, 0)]
        if kept:
            self._parts.append(kept)
            self._size += len(kept)
        return kept

    def text(self) -> bytes:
        """Return the kept output."""
        return b"".join(self._parts)
