"""Framed messages between a worker and a child process.

A `Channel` wraps one end of a socket pair and carries frames (`runtime.processes.frames`). One
thread receives; any thread may send.
"""

from __future__ import annotations

import math
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence

from runtime.errors import ChannelClosedError, ChannelGarbledError, ChannelResetError
from runtime.processes.frames import MAX_FRAME_BYTES, FrameReader, pack_uncopied

_GIFT = b"d"  # descriptors cannot be sent without at least one byte of data
_READ_BYTES = 16_384  # recv allocates this much even for a small frame
_READ_MOST_BYTES = 1_048_576
_SLICE_S = 1  # longest time that a read with a deadline blocks before it checks the time
_SLICE = struct.pack("ll", _SLICE_S, 0)  # struct timeval


class Channel:
    """One end of a socket pair.

    The socket stays blocking, so one thread can send while another receives. A receive whose
    deadline is less than a second away polls before each read. With a later deadline the read
    itself times out after a second (SO_RCVTIMEO) and the time is checked, which saves a `poll`
    call per frame.

    Args:
        sock: The connected socket; the channel owns it.
        max_frame_bytes: Longest frame accepted from the other end.

    Attributes:
        sock: The socket, for those who write to it or read it in an event loop.
    """

    def __init__(self, sock: socket.socket, *, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        sock.setblocking(True)  # noqa: FBT003 - takes no keyword
        self.sock = sock
        self._reader = FrameReader(max_frame_bytes=max_frame_bytes)
        self._ready: deque[list[bytes]] = deque()  # whole frames that arrived with an earlier one
        self._garbled: ChannelGarbledError | None = None  # what follows the frames in `_ready`
        self._has_slices = False  # whether SO_RCVTIMEO is set
        self._sending = threading.Lock()  # or the bytes of two threads' frames could mix
        self._readable = _poll(sock, select.POLLIN)
        self._writable = _poll(sock, select.POLLOUT)

    def fileno(self) -> int:
        """Return the descriptor, -1 when closed."""
        return self.sock.fileno()

    def send(self, *parts: bytes, timeout_s: float | None = None) -> None:
        """Send one frame; frames over 64 KiB are not copied.

        Raises:
            ChannelClosedError: The other end is closed; the frame may be partly sent.
            TimeoutError: The other end did not read the frame in time. Close the channel then:
                the frame may be partly sent, and the next one would be read as its rest.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        views = [memoryview(piece) for piece in pack_uncopied(parts)]
        with self._sending:
            try:
                self._send_all(views, deadline)
            except TimeoutError:
                raise
            except OSError as error:
                raise ChannelClosedError(f"the other end is gone: {error}") from error

    def receive(self, timeout_s: float | None = None) -> list[bytes]:
        """Return the next frame's parts.

        Raises:
            ChannelClosedError: The other end is closed. Two subclasses say more:
                ChannelResetError, it closed without reading everything that was sent to it;
                ChannelGarbledError, it sent something that is not a frame.
            TimeoutError: No whole frame arrived in time. The part that arrived is kept, so the
                next call continues with it.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._ready:
            if self._garbled is not None:
                raise self._garbled
            self._feed(self._read(deadline))
        return self._ready.popleft()

    def send_descriptors(self, descriptors: Sequence[int]) -> None:
        """Send file descriptors, possibly none, before the next frame.

        The other end must call `receive_descriptors` at this point: an ordinary read would lose
        the descriptors and take the byte that carries them for the start of a frame.

        Raises:
            ChannelClosedError: The other end is closed.
        """
        try:
            if descriptors:
                socket.send_fds(self.sock, [_GIFT], descriptors)
            else:
                self.sock.sendall(_GIFT)
        except OSError as error:
            raise ChannelClosedError(f"the other end is gone: {error}") from error

    def receive_descriptors(self, most: int) -> list[int]:
        """Return up to `most` descriptors sent by `send_descriptors`.

        Call it before the first `receive`.

        Raises:
            ChannelClosedError: The other end is closed.
        """
        try:
            data, descriptors, _, _ = socket.recv_fds(self.sock, len(_GIFT), most)
        except OSError as error:
            raise ChannelClosedError(f"the other end is gone: {error}") from error
        if data != _GIFT:
            raise ChannelClosedError("the other end is closed")
        return list(descriptors)

    def receive_arrived(self) -> list[list[bytes]]:
        """Return the frames that have arrived, without waiting; raises as `receive` does."""
        if (data := self._read_once(socket.MSG_DONTWAIT)) is not None:
            self._feed(data)
        if self._garbled is not None and not self._ready:
            raise self._garbled
        return self.take_ready()

    def take_ready(self) -> list[list[bytes]]:
        """Return the frames that arrived together with those that were received."""
        ready = list(self._ready)
        self._ready.clear()
        return ready

    def unread(self, frames: Iterable[list[bytes]]) -> None:
        """Put back frames that were received; the next receive returns them."""
        self._ready.extendleft(reversed(list(frames)))

    def close(self) -> None:
        """Close this end; safe to call twice."""
        self.sock.close()

    def _feed(self, data: bytes) -> None:
        try:
            self._ready.extend(self._reader.feed(data))
        except ChannelGarbledError as error:
            self._garbled = error  # raised by the receive that comes to it

    def _read(self, deadline: float | None) -> bytes:
        data: bytes | None = None
        while data is None:
            if deadline is not None:
                self._wait_to_read(deadline)
            data = self._read_once()
        return data

    def _read_once(self, flags: int = 0) -> bytes | None:
        """Return the bytes read, None if there are none now or SO_RCVTIMEO passed."""
        size = min(max(_READ_BYTES, self._reader.missing_bytes), _READ_MOST_BYTES)
        try:
            data = self.sock.recv(size, flags)
        except BlockingIOError:
            return None
        except ConnectionResetError as error:
            text = "the other end closed without reading everything that was sent to it"
            raise ChannelResetError(text) from error
        except OSError as error:
            raise ChannelClosedError(f"the other end is gone: {error}") from error
        if not data:
            raise ChannelClosedError("the other end is closed")
        return data

    def _wait_to_read(self, deadline: float) -> None:
        """Wait until the socket is readable; if the deadline is far away, let the read wait."""
        if deadline - time.monotonic() < _SLICE_S:  # the read could block past the deadline
            _wait(self._readable, deadline)
        elif not self._has_slices:
            self._has_slices = True
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _SLICE)

    def _send_all(self, views: list[memoryview], deadline: float | None) -> None:
        # MSG_DONTWAIT for this call only: the receiving thread needs the socket blocking.
        flags = 0 if deadline is None else socket.MSG_DONTWAIT
        while views:
            try:
                sent = self.sock.sendmsg(views, (), flags)
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
    """Wait until the socket is ready; raise TimeoutError at the deadline."""
    left_s = None if deadline is None else deadline - time.monotonic()
    if left_s is not None and left_s <= 0:
        raise TimeoutError("timed out")
    if not poll.poll(None if left_s is None else math.ceil(left_s * 1000)):
        raise TimeoutError("timed out")
