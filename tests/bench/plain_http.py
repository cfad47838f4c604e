"""A keep-alive HTTP/1.1 connection that costs the measuring side as little as can be.

Used by the measurements that load a gateway: bytes out, status and body in.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

_LENGTH = b"content-length:"


class PlainConnection:
    """One connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a whole request; return the answer's status and body."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        at = head.lower().find(_LENGTH)
        body = b""
        if at >= 0:
            length = int(head[at + len(_LENGTH) : head.index(b"\r\n", at)])
            body = await self._reader.readexactly(length)
        return int(head[9:12]), body

    def close(self) -> None:
        """Close it."""
        self._writer.close()


async def connect(base_url: str) -> PlainConnection:
    """Open a connection to the server of an address."""
    parts = urlsplit(base_url)
    return PlainConnection(*await asyncio.open_connection(parts.hostname, parts.port))


def encode_request(
    method: str, target: str, body: bytes = b"", headers: tuple[str, ...] = ()
) -> bytes:
    """Return a request as bytes, ready to be sent many times."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
