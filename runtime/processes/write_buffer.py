"""Frames that wait to be written to a socket, together and without waiting for the other end.

Used by a runner whose attempts run at the same time. What the socket does not take stays here in
its order; whoever has put too much here waits until the other end reads (`wait_for_room`).
"""

from __future__ import annotations

import select
import socket
import threading

from runtime.errors import ChannelClosedError
from runtime.processes.channel import _HEADERS, _MAGIC, pack

MOST_BYTES = 8 * 1024 * 1024
_COPY_BYTES = 65_536  # of a longer part no copy is made
_MOST_PIECES = 512  # of one system call; Linux takes 1,024


class WriteBuffer:
    """Safe to use from many threads.

    A thread that an asynchronous exception may reach must hold it off meanwhile: it would not be
    known how much was written.

    Args:
        sock: Whose other end reads frames; it stays as it is, and may be blocking.
        most_bytes: More than this must not wait here for long.
    """

    def __init__(self, sock: socket.socket, *, most_bytes: int = MOST_BYTES) -> None:
        self._socket = sock
        self._most_bytes = most_bytes
        self._pieces: list[bytes | memoryview] = []
        self._size = 0
        # Reentrant: collecting garbage may run a finalizer that prints, in any line of ours.
        self._lock = threading.RLock()
        self._is_writing = False

    @property
    def is_empty(self) -> bool:
        """Whether all has been written."""
        return not self._pieces

    @property
    def is_full(self) -> bool:
        """Whether more waits here than may."""
        return self._size > self._most_bytes

    def add(self, *parts: bytes) -> None:
        """Put a frame behind all others."""
        pieces: list[bytes | memoryview] = (
            [pack(*parts)] if sum(map(len, parts)) <= _COPY_BYTES else _uncopied(parts)
        )
        with self._lock:
            self._pieces += pieces
            self._size += sum(map(len, pieces))

    def write(self) -> bool:
        """Write what the socket takes now; return whether nothing is left.

        Raises:
            ChannelClosedError: The other end is gone.
        """
        with self._lock:
            if self._is_writing:  # we have interrupted ourselves: the outer call goes on
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
        """Wait until the other end has read so much that there is room; raises as `write` does."""
        # Who interrupts a write of its own thread cannot wait for the end of that.
        while self.is_full and not self._is_writing and not self.write():
            self._wait()

    def write_all(self) -> None:
        """Write everything, however long that takes; raises as `write` does."""
        while not self.write():
            self._wait()

    def _wait(self) -> None:
        """Wait until the socket takes more."""
        writable = select.poll()  # each thread that waits needs one of its own
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


def _uncopied(parts: tuple[bytes, ...]) -> list[bytes | memoryview]:
    """Return the pieces of a frame."""
    head = _HEADERS[len(parts)].pack(_MAGIC, len(parts), *map(len, parts))
    return [head, *filter(None, parts)]
