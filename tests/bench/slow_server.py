"""A server that answers every request after 100 ms: what functions that wait for others ask.

    python -m tests.bench.slow_server PORT

One process and no HTTP library, so that thousands of answers a second cost it little. It keeps
connections open and answers a connection's requests one after the other.
"""

from __future__ import annotations

import asyncio
import sys
from http.client import HTTPConnection, HTTPException
from typing import cast

import uvloop

DELAY_S = 0.100
_BLANK_LINE = b"\r\n\r\n"
_ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
)


class SlowAnswers(asyncio.Protocol):
    """One connection: each GET is answered after the delay."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.WriteTransport", transport)  # of a socket it is one

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole, later."""
        *whole, self._received = (self._received + data).split(_BLANK_LINE)
        for _ in whole:
            asyncio.get_running_loop().call_later(DELAY_S, self._answer)

    def _answer(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_ANSWER)


def is_answered(port: int) -> bool:
    """Return whether a server answers there."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read() == b'{"ok":true}'
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(SlowAnswers, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
