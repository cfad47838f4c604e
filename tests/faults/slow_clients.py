"""Clients that send one byte a second, for as long as they are let."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

HEADERS = b"POST /functions/work HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY_HEADERS = HEADERS + b"Content-Length: 1000\r\n\r\n"
BYTE_EVERY_S = 1.0


@dataclass(slots=True)
class SlowClients:
    """How long each connection was let, by what it sent slowly."""

    headers_s: list[float] = field(default_factory=list)
    bodies_s: list[float] = field(default_factory=list)
    open_now: int = 0


@contextmanager
def slow_clients(base_url: str, *, each: int, most_s: float) -> Iterator[SlowClients]:
    """Open so many connections of either kind; the block ends when all are closed."""
    clients = SlowClients()
    where = urlsplit(base_url)

    async def trickle(sent: bytes, further: bytes, noted: list[float]) -> None:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        began_s = time.monotonic()
        clients.open_now += 1
        ended = asyncio.create_task(reader.read())
        writer.write(sent)
        with contextlib.suppress(OSError):
            while not ended.done() and time.monotonic() - began_s < most_s:
                await asyncio.wait({ended}, timeout=BYTE_EVERY_S)
                writer.write(further)
        noted.append(time.monotonic() - began_s)
        clients.open_now -= 1
        ended.cancel()
        writer.transport.abort()
        await asyncio.gather(ended, return_exceptions=True)

    async def all_of_them() -> None:
        await asyncio.gather(
            *(trickle(HEADERS, b"X", clients.headers_s) for _ in range(each)),
            *(trickle(BODY_HEADERS, b" ", clients.bodies_s) for _ in range(each)),
        )

    thread = threading.Thread(target=lambda: asyncio.run(all_of_them()), name="slow clients")
    thread.start()
    try:
        yield clients
    finally:
        thread.join()
