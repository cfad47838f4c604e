"""From bytes as they come to frames, for whoever reads a socket without waiting."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.errors import ChannelGarbledError
from runtime.processes.channel import (
    _HEADERS,
    _LENGTHS,
    _PREFIX,
    MAX_FRAME_BYTES,
    _unpack_first,
)


class FrameReader:
    """Cuts what comes, piece by piece, into frames."""

    def __init__(self, *, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._held = bytearray()
        self._needed = 0  # so many bytes make the frame whole that is held, where that is known

    @property
    def missing_bytes(self) -> int:
        """How many bytes the frame that has begun still lacks, 0 where that is not known."""
        return max(0, self._needed - len(self._held)) if self._held else 0

    def feed(self, data: bytes) -> Iterator[list[bytes]]:
        """Yield the parts of each frame that is whole now.

        Raises:
            ChannelGarbledError: What follows is no frame; those before it were yielded.
        """
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return
            data = bytes(self._held)
            self._held.clear()
        start = 0
        while start < len(data):
            parts, start = _unpack_first(data, start)
            if parts is None:
                self._needed = self._measure(data, start)
                self._held += memoryview(data)[start:]
                return
            yield parts

    def take_rest(self) -> bytes:
        """Return what has come of a frame that is not whole, and forget it."""
        rest = bytes(self._held)
        self._held.clear()
        return rest

    def _measure(self, data: bytes, start: int) -> int:
        """Return the length of the frame that begins here, 0 while that is not known."""
        if len(data) - start < _PREFIX.size:
            return 0
        _, count = _PREFIX.unpack_from(data, start)
        head = _HEADERS[count].size
        if len(data) - start < head:
            return 0
        total = head + sum(_LENGTHS[count].unpack_from(data, start + _PREFIX.size))
        if total > self._max_frame_bytes:
            raise ChannelGarbledError(
                f"a frame of {total} bytes; at most {self._max_frame_bytes} are accepted"
            )
        return int(total)
