"""Frames between a worker and its children: several byte strings, sent as one.

A `Channel` wraps one end of a socket pair. A frame is a magic word, the number
of its parts, their lengths, the parts. What the other end says is not trusted:
a frame that is malformed or too long ends the channel, it never fills memory.
One thread receives; any thread may send.
"""

from __future__ import annotations

import socket
import struct
import threading
import time

from runtime.errors import ChannelClosedError, ChannelResetError

MAX_FRAME_BYTES = 64 * 1024 * 1024
MAX_PARTS = 16
_MAGIC = b"PSF1"
_PREFIX = struct.Struct("!4sI")
_HEADERS = tuple(struct.Struct(f"!4sI{count}I") for count in range(MAX_PARTS + 1))
_LENGTHS = tuple(struct.Struct(f"!{count}I") for count in range(MAX_PARTS + 1))
_JOIN_BYTES = 65_536
_READ_BYTES = 262_144


class Channel:
    """One end of a socket pair.

    Args:
        sock: The connected socket; the channel owns it.
        max_frame_bytes: Longest frame accepted from the other end.
    """

    def __init__(self, sock: socket.socket, *, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._socket = sock
        self._max_frame_bytes = max_frame_bytes
        self._held = bytearray()
        self._sending = threading.Lock()
        self._timeout_s = sock.gettimeout()

    def fileno(self) -> int:
        """Return the descriptor, -1 when closed."""
        return self._socket.fileno()

    def send(self, *parts: bytes, timeout_s: float | None = None) -> None:
        """Send one frame; big parts are not copied.

        Raises:
            ChannelClosedError: The other end is gone, or was lost half-way through a frame.
            TimeoutError: The other end did not take the frame in time; the channel is of
                no more use, since the frame may be half sent.
        """
        head = _HEADERS[len(parts)].pack(_MAGIC, len(parts), *map(len, parts))
        with self._sending:
            try:
                self._wait_at_most(timeout_s)
                if sum(map(len, parts)) <= _JOIN_BYTES:
                    self._socket.sendall(b"".join((head, *parts)))
                else:
                    self._send_scattered([head, *parts])
            except TimeoutError:
                raise
            except OSError as error:
                raise ChannelClosedError(f"the other end is gone: {error}") from error

    def receive(self, timeout_s: float | None = None) -> list[bytes]:
        """Return the next frame's parts.

        Raises:
            ChannelClosedError: The other end is gone, or what it sent is no frame.
                ChannelResetError: it went without having read all that was sent to it.
            TimeoutError: No whole frame came in time; what came of it is kept.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            frame = self._take()
            if frame is not None:
                return frame
            self._fill(None if deadline is None else deadline - time.monotonic())

    def close(self) -> None:
        """Close this end; twice is safe."""
        self._socket.close()

    def _take(self) -> list[bytes] | None:
        held = self._held
        if len(held) < _PREFIX.size:
            return None
        magic, count = _PREFIX.unpack_from(held)
        if magic != _MAGIC or count > MAX_PARTS:
            raise ChannelClosedError("the other end does not speak in frames")
        start = _HEADERS[count].size
        if len(held) < start:
            return None
        lengths = _LENGTHS[count].unpack_from(held, _PREFIX.size)
        total = start + sum(lengths)
        if total > self._max_frame_bytes:
            raise ChannelClosedError(
                f"a frame of {total} bytes; at most {self._max_frame_bytes} are accepted"
            )
        if len(held) < total:
            return None
        parts = []
        with memoryview(held) as view:
            for length in lengths:
                parts.append(bytes(view[start : start + length]))
                start += length
        del held[:total]
        return parts

    def _fill(self, timeout_s: float | None) -> None:
        if timeout_s is not None and timeout_s <= 0:
            raise TimeoutError("no frame in time")
        try:
            self._wait_at_most(timeout_s)
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            raise
        except ConnectionResetError as error:
            raise ChannelResetError("the other end went without reading") from error
        except OSError as error:
            raise ChannelClosedError(f"the other end is gone: {error}") from error
        if not data:
            raise ChannelClosedError("the other end is closed")
        self._held += data

    def _send_scattered(self, parts: list[bytes]) -> None:
        views = [memoryview(part) for part in parts if part]
        while views:
            sent = self._socket.sendmsg(views)
            while views and sent >= len(views[0]):
                sent -= len(views.pop(0))
            if views:
                views[0] = views[0][sent:]

    def _wait_at_most(self, timeout_s: float | None) -> None:
        if timeout_s != self._timeout_s:
            self._socket.settimeout(timeout_s)
            self._timeout_s = timeout_s
