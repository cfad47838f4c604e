"""A buffer of frames that are written to a socket together and without blocking.

A runner that runs several attempts at the same time uses it. Frames that the socket does not take
stay in the buffer, in order. A thread that fills the buffer waits until the other end has read
enough (`wait_for_room`), so memory stays bounded.
"""

from __future__ import annotations

import select
import socket
import threading

from runtime.errors import ChannelClosedError
from runtime.processes.frames import pack_uncopied

MOST_BYTES = 8 * 1024 * 1024
_MOST_PIECES = 512  # in one system call; Linux allows 1,024


class WriteBuffer:
    """Frames to be written, in order; safe to use from many threads.

    A thread that can receive an asynchronous exception must hold it off during these calls:
    otherwise it is unknown how much was written.

    Args:
        sock: The socket to write to; its mode is not changed and may be blocking.
        most_bytes: The size above which `wait_for_room` waits.
    """

    def __init__(self, sock: socket.socket, *, most_bytes: int = MOST_BYTES) -> None:
        self._socket = sock
        self._most_bytes = most_bytes
        self._pieces: list[bytes | memoryview] = []
        self._size = 0
        # Reentrant: garbage collection can run a finalizer at any line below, and if the finalizer
        # prints, it calls `add` and `write` in this thread.
        self._lock = threading.RLock()
        self._is_writing = False

    @property
    def is_empty(self) -> bool:
        """Whether everything has been written."""
        return not self._pieces

    @property
    def is_full(self) -> bool:
        """Whether the buffer holds more than `most_bytes`."""
        return self._size > self._most_bytes

    def add(self, *parts: bytes) -> None:
        """Append a frame."""
        pieces = pack_uncopied(parts)
        with self._lock:
            self._pieces += pieces
            self._size += sum(map(len, pieces))

    def write(self) -> bool:
        """Write as much as the socket takes now; return whether nothing is left.

        Raises:
            ChannelClosedError: The other end is closed.
        """
        with self._lock:
            if self._is_writing:  # called by a finalizer within `write`: the outer call goes on
                return False
            self._is_writing = True
            try:
                while self._pieces:
                    sent = self._send()
                    if sent == 0:
                        return False
                    self._drop(sent)
            finally:
                self._is_writing = False
            return True

    def wait_for_room(self) -> None:
        """Wait while the buffer is full; raises as `write` does."""
        # Do not wait within a `write` of the same thread: it could not go on.
        while self.is_full and not self._is_writing and not self.write():
            self._wait()

    def write_all(self) -> None:
        """Write everything, however long it takes; raises as `write` does."""
        while not self.write():
            self._wait()

    def _wait(self) -> None:
        """Wait until the socket is writable."""
        writable = select.poll()  # one per call: two threads cannot poll the same object
        writable.register(self._socket, select.POLLOUT)
        writable.poll()

    def _send(self) -> int:
        try:
            return self._socket.sendmsg(self._pieces[:_MOST_PIECES], (), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise ChannelClosedError(f"the other end is gone: {error}") from error

    def _drop(self, sent: int) -> None:
        self._size -= sent
        whole = 0
        for piece in self._pieces:
            if sent < len(piece):
                break
            sent -= len(piece)
            whole += 1
        del self._pieces[:whole]
        if sent:
            self._pieces[0] = memoryview(self._pieces[0])[sent:]
