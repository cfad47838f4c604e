"""A connected socket on a worker's event loop, with a buffer for outgoing data.

`store.loop_connection` uses it for connections to Redis. A peer that does not read delays only its
own stream: data that the socket does not accept is buffered here and written later.
"""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from collections.abc import Callable
from functools import partial

from runtime.loop import Loop

OnData = Callable[[bytes], object]
OnClosed = Callable[[OSError | None], object]
_READ_BYTES = 65_536
_READ_MOST_BYTES = 1_048_576
_MOST_READS = 1_000


class Stream:
    """One connected socket; closing the stream closes the socket.

    Args:
        loop: The event loop that reads and writes the socket.
        sock: A connected socket.
        on_data: Called with received bytes, in order.
        on_closed: Called once when the peer has closed or the connection failed (with the
            error, if there is one); not called after `close`.
        would_block: What the socket raises instead of waiting (TLS has its own exceptions).
    """

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        *,
        on_data: OnData,
        on_closed: OnClosed,
        would_block: tuple[type[OSError], ...] = (BlockingIOError,),
    ) -> None:
        sock.setblocking(False)  # noqa: FBT003 - takes no keyword
        self._loop = loop
        self._socket = sock
        self._fd = sock.fileno()
        self._on_data = on_data
        self._on_closed = on_closed
        self._would_block = would_block
        self._unsent: deque[memoryview] = deque()
        self._read_bytes = _READ_BYTES
        self.is_closed = False
        loop.add_reader(self._fd, self._read)

    @property
    def unsent(self) -> int:
        """Number of buffered pieces that the peer has not accepted yet."""
        return len(self._unsent)

    def write(self, data: bytes) -> bool:
        """Send what the socket accepts now, and buffer the rest.

        Return False if the connection is gone and none of the data will be sent.
        """
        if self.is_closed:
            return False
        if not self._unsent:
            try:
                sent = self._socket.send(data)
            except self._would_block:
                sent = 0
            except OSError as error:
                self._loop.call_soon(partial(self._lose, error))
                return False
            if sent == len(data):
                return True
            self._unsent.append(memoryview(data)[sent:])
            self._loop.add_writer(self._fd, self._write_on)
        else:
            self._unsent.append(memoryview(data))
        return True

    def pause(self) -> None:
        """Stop reading until `resume`; the peer must wait once the socket buffers are full."""
        if not self.is_closed:
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Start reading again."""
        if not self.is_closed:
            self._loop.add_reader(self._fd, self._read)

    def finish(self) -> None:
        """Close the sending direction; the receiving direction stays open."""
        # Not `SSLSocket.shutdown`: after it, a TLS socket no longer decrypts what it receives.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_WR)

    def abort(self) -> None:
        """Same as `close`; asyncio's transports have this name."""
        self.close()

    def close(self) -> None:
        """Close the socket without calling `on_closed`; calling it twice is safe."""
        if self.is_closed:
            return
        self.is_closed = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._unsent.clear()
        self._socket.close()

    def read_now(self) -> None:
        """Read what has already arrived, without waiting for the loop."""
        for _ in range(_MOST_READS):
            if self.is_closed or not self._read():
                return

    def _read(self) -> bool:
        """Read once; return whether data arrived."""
        try:
            data = self._socket.recv(self._read_bytes)
        except self._would_block:
            return False
        except OSError as error:
            self._lose(error)
            return False
        if not data:
            self._lose(None)
            return False
        if len(data) == self._read_bytes:
            self._read_bytes = min(2 * self._read_bytes, _READ_MOST_BYTES)
        self._on_data(data)
        pending = getattr(self._socket, "pending", None)  # TLS: decrypted bytes, unseen by poll
        while pending is not None and not self.is_closed and pending():
            self._on_data(self._socket.recv(pending()))
        return True

    def _write_on(self) -> None:
        try:
            while self._unsent:
                piece = self._unsent[0]
                sent = self._socket.send(piece)
                if sent < len(piece):
                    self._unsent[0] = piece[sent:]
                    return
                self._unsent.popleft()
        except self._would_block:
            return
        except OSError as error:
            self._lose(error)
            return
        self._loop.remove_writer(self._fd)

    def _lose(self, error: OSError | None) -> None:
        if not self.is_closed:
            self.close()
            self._on_closed(error)
