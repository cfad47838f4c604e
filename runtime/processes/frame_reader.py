"""Parse frames from a stream of bytes, for readers that use a non-blocking socket.

The worker's event loop uses it for the channels of its runners. `Channel.receive` is the
blocking counterpart.
"""

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
    """Turns received pieces of a stream into frames."""

    def __init__(self, *, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._held = bytearray()  # the start of a frame that is not complete
        self._needed = 0  # total length of that frame, 0 while its header is incomplete

    @property
    def missing_bytes(self) -> int:
        """Bytes still missing from the incomplete frame; 0 if there is none or it is unknown."""
        return max(0, self._needed - len(self._held)) if self._held else 0

    def feed(self, data: bytes) -> Iterator[list[bytes]]:
        """Yield the parts of each frame that is now complete.

        Raises:
            ChannelGarbledError: A frame is malformed or too long. The frames before it have been
                yielded.
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
        """Remove the bytes of the incomplete frame and return them."""
        rest = bytes(self._held)
        self._held.clear()
        return rest

    def _measure(self, data: bytes, start: int) -> int:
        """Return the length of the frame at `start`, 0 while its header is incomplete."""
        if len(data) - start < _PREFIX.size:
            return 0
        _, count = _PREFIX.unpack_from(data, start)
        head = _HEADERS[count].size
        if len(data) - start < head:
            return 0
        total = head + sum(_LENGTHS[count].unpack_from(data, start + _PREFIX.size))
        if total > self._max_frame_bytes:
            raise ChannelGarbledError(
                f"frame of {total} bytes; the limit is {self._max_frame_bytes} bytes"
            )
        return int(total)
