"""A connected socket on the loop of a worker: what comes is passed on, what goes may wait.

Whoever does not read stops this stream alone: what the socket does not take waits here, and is
written when it does.
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
    """One socket; it owns it.

    Args:
        loop: Where it lives.
        sock: Connected.
        on_data: Called with what came, in the order of coming.
        on_closed: Called once when the other end is gone, with the error if there was one; not
            after `close`.
        would_block: What the socket raises instead of waiting (TLS has its own).
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
        """How many pieces the other end has not taken yet."""
        return len(self._unsent)

    def write(self, data: bytes) -> bool:
        """Send now what the socket takes, the rest as soon as it does.

        Return False where the other end gets nothing of it, as it is gone.
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
        """Read nothing until `resume`; the other end has to wait when its buffers are full."""
        if not self.is_closed:
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Read on."""
        if not self.is_closed:
            self._loop.add_reader(self._fd, self._read)

    def finish(self) -> None:
        """Say that nothing more will be written; what is on its way here still comes."""
        with contextlib.suppress(OSError):  # not as a TLS socket does, which then decrypts no more
            socket.socket.shutdown(self._socket, socket.SHUT_WR)

    def abort(self) -> None:
        """As `close` (the name that asyncio's transports have)."""
        self.close()

    def close(self) -> None:
        """Close the socket; nobody is called back. Twice is safe."""
        if self.is_closed:
            return
        self.is_closed = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._unsent.clear()
        self._socket.close()

    def read_now(self) -> None:
        """Pass on what lies there already, without waiting for the loop."""
        for _ in range(_MOST_READS):
            if self.is_closed or not self._read():
                return

    def _read(self) -> bool:
        """Return whether something came."""
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
        pending = getattr(self._socket, "pending", None)  # TLS: bytes that no poll tells of
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
