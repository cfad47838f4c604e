"""A receiver of callbacks that behaves as badly as its path says; a thread with its own loop.

    /ok  /status/503  /hang  /reset  /drip  /redirect  /busy/3  /endless  /bomb  /slow-head
What comes after the first segment (or the number) tells receivers apart. A test may hang
something else on a path with `behave`. Every request is kept, headers and body.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import cast

# What ends a connection: the sender's doing, or (cancelled) the receiver's own end.
_OVER = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)

Behaviour = Callable[["Received", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request, header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float
    sni: str | None = None


@dataclass(slots=True)
class Receiver:
    """Where to send, and what came."""

    port: int = 0
    scheme: str = "http"
    requests: list[Received] = field(default_factory=list)
    behaviours: dict[str, list[Behaviour]] = field(default_factory=dict)
    sent_bytes: int = 0
    snis: list[str | None] = field(default_factory=list)
    came: int = 0
    open_now: int = 0
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        """Return what came to one path."""
        return [request for request in list(self.requests) if request.path == path]

    def behave(self, path: str, *behaviours: Behaviour) -> None:
        """Answer a path by these in turn; the last one stays."""
        self.behaviours[path] = list(behaviours)

    def next_behaviour(self, path: str) -> Behaviour:
        queued = self.behaviours.get(path)
        if queued:
            return queued.pop(0) if len(queued) > 1 else queued[0]
        segments = path.partition("?")[0].strip("/").split("/")
        if segments[0] in {"status", "busy"}:
            return {"status": status, "busy": busy}[segments[0]](int(segments[1]))
        return NAMED[segments[0]]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request of a connection."""
        self.came += 1
        self.open_now += 1
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self.serving.add(task)
        try:
            with contextlib.suppress(*_OVER):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                pairs = (line.split(": ", 1) for line in head[1:] if line)
                headers = {name.lower(): value for name, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                path = head[0].split(" ")[1]
                request = Received(path=path, headers=headers, body=body, at_s=time.monotonic())
                self.requests.append(request)
                await self.next_behaviour(path)(request, writer)
                await writer.drain()
        finally:
            self.open_now -= 1
            self.serving.discard(task)
            writer.close()
            if task.cancelling():
                writer.transport.abort()


def status(code: int, *headers: str, body: bytes = b"{}") -> Behaviour:
    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {code} X", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    return answer


def busy(seconds: int) -> Behaviour:
    return status(429, f"Retry-After: {seconds}")


async def hang(_: Received, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def reset(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def drip(_: Received, writer: asyncio.StreamWriter) -> None:
    """Send a status line, then a header byte every 50 ms, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def redirect(request: Received, writer: asyncio.StreamWriter) -> None:
    await status(302, f"Location: http://{request.headers['host']}/ok/elsewhere")(request, writer)


async def endless(_: Received, writer: asyncio.StreamWriter) -> None:
    """Answer 200 and offer a GiB."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    for _i in range(1024):
        writer.write(bytes(1024 * 1024))
        await writer.drain()


async def headers_without_end(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"y" * 1000 + b"\r\n")
        await writer.drain()


async def bomb(request: Received, writer: asyncio.StreamWriter) -> None:
    """Answer 200 with 10 KB that would be 10 MB, whatever encoding was asked for."""
    body = gzip.compress(bytes(10_000_000))
    await status(200, "Content-Encoding: gzip", body=body)(request, writer)


NAMED: dict[str, Behaviour] = {
    "ok": status(200),
    "hang": hang,
    "reset": reset,
    "drip": drip,
    "redirect": redirect,
    "endless": endless,
    "headers": headers_without_end,
    "bomb": bomb,
}


@contextmanager
def receiving(*, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    receiver = Receiver(scheme="https" if tls else "http")
    if tls is not None:
        tls.sni_callback = lambda _, name, __: receiver.snis.append(name)
    ready = threading.Event()
    end: list[Callable[[], object]] = []

    async def serve() -> None:
        over = asyncio.Event()
        end.append(partial(asyncio.get_running_loop().call_soon_threadsafe, over.set))
        server = await asyncio.start_server(receiver.serve, host, 0, ssl=tls, backlog=1024)
        receiver.port = server.sockets[0].getsockname()[1]
        ready.set()
        await over.wait()
        server.close()
        await _end_connections(receiver)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="receiver", daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield receiver
    finally:
        end[0]()
        thread.join(5)


async def _end_connections(receiver: Receiver) -> None:
    """Break off what is served; what asyncio is still accepting gets its turn to be, too."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in set(receiver.serving):
            task.cancel()
        await asyncio.wait(others, timeout=0.05)
    for _ in range(3):  # closed transports say so in later turns of the loop
        await asyncio.sleep(0)
