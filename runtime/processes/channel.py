"""Frames between a worker and its children: several byte strings, sent as one.

A `Channel` wraps one end of a socket pair. A frame is a magic word, the number
of its parts, their lengths, the parts. What the other end says is not trusted:
a frame that is malformed or too long ends the channel, it never fills memory.
One thread receives; any thread may send.
"""

from __future__ import annotations

import math
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence

from runtime.errors import ChannelClosedError, ChannelGarbledError, ChannelResetError

MAX_FRAME_BYTES = 64 * 1024 * 1024
MAX_PARTS = 16
_MAGIC = b"PSF1"
_PREFIX = struct.Struct("!4sI")
_HEADERS = tuple(struct.Struct(f"!4sI{count}I") for count in range(MAX_PARTS + 1))
_LENGTHS = tuple(struct.Struct(f"!{count}I") for count in range(MAX_PARTS + 1))
_GIFT = b"d"
_JOIN_BYTES = 65_536
_READ_BYTES = 16_384  # a read allocates as much, so a small frame wants a small one
_READ_MOST_BYTES = 1_048_576
_SLICE_S = 1
_SLICE = struct.pack("ll", _SLICE_S, 0)  # struct timeval


def pack(*parts: bytes) -> bytes:
    """Return one frame, as it is sent."""
    return _HEADERS[len(parts)].pack(_MAGIC, len(parts), *map(len, parts)) + b"".join(parts)


def unpack_each(data: bytes) -> Iterator[list[bytes]]:
    """Yield the parts of each of the frames that make up `data`.

    Raises:
        ChannelGarbledError: What follows is no whole frame; those before it were yielded.
    """
    start = 0
    while start < len(data):
        parts, start = _unpack_first(data, start)
        if parts is None:
            raise ChannelGarbledError("a frame was cut short")
        yield parts


def _unpack_first(data: bytes, start: int) -> tuple[list[bytes] | None, int]:
    """Return the parts of the frame that begins here, and where it ends; None if it does not."""
    end = len(data)
    if end - start < _PREFIX.size:
        return None, start
    magic, count = _PREFIX.unpack_from(data, start)
    if magic != _MAGIC or count > MAX_PARTS:
        raise ChannelGarbledError("the other end does not speak in frames")
    at = start + _HEADERS[count].size
    if at > end:
        return None, start
    parts = []
    for length in _LENGTHS[count].unpack_from(data, start + _PREFIX.size):
        parts.append(data[at : at + length])
        at += length
    return (None, start) if at > end else (parts, at)


class Channel:
    """One end of a socket pair.

    The socket itself stays blocking, so that one thread may send while another receives.
    Who waits with a limit polls; where the limit is far away, the read itself comes back
    after a second to look at the time, which spares a system call for each frame.

    Args:
        sock: The connected socket; the channel owns it.
        max_frame_bytes: Longest frame accepted from the other end.
    """

    def __init__(self, sock: socket.socket, *, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        sock.setblocking(True)  # noqa: FBT003 - takes no keyword
        self._socket = sock
        self._max_frame_bytes = max_frame_bytes
        self._held = bytearray()
        self._ready: deque[list[bytes]] = deque()  # whole frames, which came with an earlier one
        self._missing_bytes = 0
        self._has_slices = False
        self._sending = threading.Lock()
        self._readable = _poll(sock, select.POLLIN)
        self._writable = _poll(sock, select.POLLOUT)

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
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        if sum(map(len, parts)) <= _JOIN_BYTES:
            pieces = [pack(*parts)]
        else:
            head = _HEADERS[len(parts)].pack(_MAGIC, len(parts), *map(len, parts))
            pieces = [head, *parts]
        self._send_pieces(pieces, deadline)

    def send_packed(self, frames: bytes, *, timeout_s: float | None = None) -> None:
        """Send several frames at once, each made by `pack`; raises as `send` does."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._send_pieces([frames], deadline)

    def receive(self, timeout_s: float | None = None) -> list[bytes]:
        """Return the next frame's parts.

        Raises:
            ChannelClosedError: The other end is gone. ChannelResetError: without having read
                all that was sent to it. ChannelGarbledError: what it sent is no frame.
            TimeoutError: No whole frame came in time; what came of it is kept.
        """
        if self._ready:
            return self._ready.popleft()
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        frame = self._take() if self._held else None
        while frame is None:
            data = self._read(deadline)
            if not self._held and len(data) <= self._max_frame_bytes:
                data = data[self._split_each(data) :]  # often nothing is left to be kept
                if self._ready:
                    self._held += data
                    return self._ready.popleft()
            self._held += data
            frame = self._take()
        return frame

    def send_descriptors(self, descriptors: Sequence[int]) -> None:
        """Give the other end descriptors, before the next frame; it waits for just that.

        Raises:
            ChannelClosedError: The other end is gone.
        """
        try:
            if descriptors:
                socket.send_fds(self._socket, [_GIFT], descriptors)
            else:
                self._socket.sendall(_GIFT)
        except OSError as error:
            raise ChannelClosedError(f"the other end is gone: {error}") from error

    def receive_descriptors(self, most: int) -> list[int]:
        """Return what the other end gives by `send_descriptors`; before any frame is received.

        Raises:
            ChannelClosedError: The other end is gone.
        """
        try:
            data, descriptors, _, _ = socket.recv_fds(self._socket, len(_GIFT), most)
        except OSError as error:
            raise ChannelClosedError(f"the other end is gone: {error}") from error
        if data != _GIFT:
            raise ChannelClosedError("the other end is closed")
        return list(descriptors)

    def hand_over(self) -> tuple[socket.socket, list[list[bytes]], bytes]:
        """Return the socket, and what came of it unreceived: frames, and how another begins."""
        ready, held = list(self._ready), bytes(self._held)
        self._ready.clear()
        self._held.clear()
        return self._socket, ready, held

    def unread(self, data: bytes) -> None:
        """Let this be received first: it was read from the socket, and not used."""
        self._held += data

    def close(self) -> None:
        """Close this end; twice is safe."""
        self._socket.close()

    def _take(self) -> list[bytes] | None:
        """Return the first frame of what is held, and drop it there."""
        total = self._measure(self._held)
        if total is None:
            return None
        parts, _ = _unpack_first(bytes(memoryview(self._held)[:total]), 0)
        del self._held[:total]
        return parts

    def _split_each(self, data: bytes) -> int:
        """Make the frames ready that `data` begins with; return where the last of them ends."""
        end = 0
        while end < len(data):
            try:
                parts, end = _unpack_first(data, end)
            except ChannelGarbledError:  # told by who comes for what follows
                break
            if parts is None:
                break
            self._ready.append(parts)
        return end

    def _measure(self, data: bytes | bytearray) -> int | None:
        """Return the length of the frame that `data` begins with, None if it is not all there."""
        self._missing_bytes = 0
        if len(data) < _PREFIX.size:
            return None
        magic, count = _PREFIX.unpack_from(data)
        if magic != _MAGIC or count > MAX_PARTS:
            raise ChannelGarbledError("the other end does not speak in frames")
        if len(data) < _HEADERS[count].size:
            return None
        total = _HEADERS[count].size + sum(_LENGTHS[count].unpack_from(data, _PREFIX.size))
        if total > self._max_frame_bytes:
            raise ChannelGarbledError(
                f"a frame of {total} bytes; at most {self._max_frame_bytes} are accepted"
            )
        self._missing_bytes = max(0, total - len(data))
        return None if self._missing_bytes else total

    def _read(self, deadline: float | None) -> bytes:
        size = min(max(_READ_BYTES, self._missing_bytes), _READ_MOST_BYTES)
        data: bytes | None = None
        try:
            while data is None:
                if deadline is not None:
                    self._wait_to_read(deadline)
                data = self._read_once(size)
        except TimeoutError:
            raise
        except ConnectionResetError as error:
            raise ChannelResetError("the other end went without reading") from error
        except OSError as error:
            raise ChannelClosedError(f"the other end is gone: {error}") from error
        if not data:
            raise ChannelClosedError("the other end is closed")
        return data

    def _read_once(self, size: int) -> bytes | None:
        """Return what came, None when the slice is over."""
        try:
            return self._socket.recv(size)
        except BlockingIOError:
            return None

    def _wait_to_read(self, deadline: float) -> None:
        """Wait until the deadline; leave it to the read itself where that is far."""
        if deadline - time.monotonic() < _SLICE_S:
            _wait(self._readable, deadline)
        elif not self._has_slices:
            self._has_slices = True
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _SLICE)

    def _send_pieces(self, pieces: Sequence[bytes], deadline: float | None) -> None:
        with self._sending:
            try:
                self._send_all([memoryview(piece) for piece in pieces if piece], deadline)
            except TimeoutError:
                raise
            except OSError as error:
                raise ChannelClosedError(f"the other end is gone: {error}") from error

    def _send_all(self, views: list[memoryview], deadline: float | None) -> None:
        flags = 0 if deadline is None else socket.MSG_DONTWAIT
        while views:
            try:
                sent = self._socket.sendmsg(views, (), flags)
            except BlockingIOError:
                _wait(self._writable, deadline)
                continue
            while views and sent >= len(views[0]):
                sent -= len(views.pop(0))
            if views:
                views[0] = views[0][sent:]


def _poll(sock: socket.socket, event: int) -> select.poll:
    poll = select.poll()
    poll.register(sock, event)
    return poll


def _wait(poll: select.poll, deadline: float | None) -> None:
    """Wait until the socket is ready; TimeoutError at the deadline."""
    left_s = None if deadline is None else deadline - time.monotonic()
    if left_s is not None and left_s <= 0:
        raise TimeoutError("not in time")
    if not poll.poll(None if left_s is None else math.ceil(left_s * 1000)):
        raise TimeoutError("not in time")
