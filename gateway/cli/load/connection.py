"""One connection of the load client: the request that it repeats, and the answer to it.

Of an answer only the length is parsed, so that a call costs the client little.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field

from gateway.cli.load.plan import NUMBER

_CHUNK_BYTES = 256 * 1024
_LENGTH = b"content-length:"
BLANK_LINE = b"\r\n\r\n"


class BrokenAnswerError(Exception):
    """The peer sent something that this client cannot read, or closed the connection."""


@dataclass(slots=True)
class LoadConnection:
    """One connection, the request that it repeats and the answer it waits for."""

    index: int
    request: bytearray
    marker: bytes
    socket: socket.socket
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)
    whole_bytes: int = 0
    number_at: int = -1

    def send(self, number: int) -> None:
        """Send the request, with `number` in place of `NUMBER`; it fits the socket's buffer."""
        if self.number_at >= 0:
            end = self.number_at + len(NUMBER)
            memoryview(self.request)[self.number_at : end] = b"%0*d" % (len(NUMBER), number)
        self.received.clear()
        self.whole_bytes = 0
        self.sent_at = time.perf_counter()
        self.socket.sendall(self.request)

    def take(self) -> bool:
        """Read what has arrived; return whether the answer is complete.

        Raises:
            BrokenAnswerError: The connection was closed, or an answer has no length.
        """
        data = self.socket.recv(_CHUNK_BYTES)
        if not data:
            raise BrokenAnswerError("the connection was closed")
        self.received += data
        if not self.whole_bytes:
            head_bytes = self.received.find(BLANK_LINE)
            if head_bytes < 0:
                return False
            self.whole_bytes = head_bytes + len(BLANK_LINE) + self._length(head_bytes)
        return len(self.received) >= self.whole_bytes

    def _length(self, head_bytes: int) -> int:
        head = bytes(self.received[:head_bytes]).lower()
        start = head.find(_LENGTH)
        if start < 0:
            raise BrokenAnswerError("an answer has no Content-Length")
        return int(head[start + len(_LENGTH) :].split(b"\r\n", 1)[0])


def open_connection(
    address: tuple[str, int], request: bytes, marker: bytes, *, index: int, timeout_s: float
) -> LoadConnection:
    """Open a connection that will repeat one request.

    Raises:
        OSError: Nothing listens there, or not in time.
    """
    peer = socket.create_connection(address, timeout=timeout_s)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * _CHUNK_BYTES)
    return LoadConnection(
        index=index,
        request=bytearray(request),
        marker=marker,
        socket=peer,
        number_at=request.find(NUMBER.encode()),
    )
