"""The frames of a channel: how they are packed, and how they are parsed from a stream of bytes.

A frame consists of a magic word, the number of parts, the length of each part, and the parts. The
sender is not trusted: a malformed or oversized frame is refused when its header arrives, before its
body can fill memory. `Channel` uses it, and so do those that read or write a channel's socket in an
event loop.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from runtime.errors import ChannelGarbledError

MAX_FRAME_BYTES = 64 * 1024 * 1024
MAX_PARTS = 16
_MAGIC = b"PSF1"
_PREFIX = struct.Struct("!4sI")
_HEADERS = tuple(struct.Struct(f"!4sI{count}I") for count in range(MAX_PARTS + 1))
_LENGTHS = tuple(struct.Struct(f"!{count}I") for count in range(MAX_PARTS + 1))
_COPY_BYTES = 65_536  # a longer frame is not copied into one piece


def pack(*parts: bytes) -> bytes:
    """Return the bytes of one frame."""
    return _pack_header(parts) + b"".join(parts)


def pack_uncopied(parts: Sequence[bytes]) -> list[bytes]:
    """Return the bytes of one frame, in several pieces if it is long."""
    if sum(map(len, parts)) <= _COPY_BYTES:
        return [pack(*parts)]
    return [_pack_header(parts), *filter(None, parts)]


def _pack_header(parts: Sequence[bytes]) -> bytes:
    return _HEADERS[len(parts)].pack(_MAGIC, len(parts), *map(len, parts))


def unpack_each(data: bytes) -> Iterator[list[bytes]]:
    """Yield the parts of each frame in `data`.

    Raises:
        ChannelGarbledError: A frame is malformed or incomplete. The frames before it have been
            yielded.
    """
    start = 0
    while start < len(data):
        parts, start = _unpack_first(data, start)
        if parts is None:
            raise ChannelGarbledError("the last frame is incomplete")
        yield parts


def _unpack_first(data: bytes, start: int) -> tuple[list[bytes] | None, int]:
    """Return the parts of the frame at `start` and its end; (None, start) if it is incomplete."""
    end = len(data)
    if end - start < _PREFIX.size:
        return None, start
    magic, count = _PREFIX.unpack_from(data, start)
    if magic != _MAGIC or count > MAX_PARTS:
        raise ChannelGarbledError("the other end sent bytes that are not a frame")
    at = start + _HEADERS[count].size
    if at > end:
        return None, start
    parts = []
    for length in _LENGTHS[count].unpack_from(data, start + _PREFIX.size):
        parts.append(data[at : at + length])
        at += length
    return (None, start) if at > end else (parts, at)


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
            parts, end = _unpack_first(data, start)
            if parts is None:
                self._needed = self._measure(data, start)
                self._held += memoryview(data)[start:]
                return
            if end - start > self._max_frame_bytes:
                raise self._too_long(end - start)
            start = end
            yield parts

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
            raise self._too_long(total)
        return int(total)

    def _too_long(self, total: int) -> ChannelGarbledError:
        return ChannelGarbledError(
            f"frame of {total} bytes; the limit is {self._max_frame_bytes} bytes"
        )
