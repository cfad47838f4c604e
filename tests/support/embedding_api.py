"""A model's API that takes its time: OpenAI's `/v1/embeddings`, in a thread with a loop of its own.

What a text begins with says how it is answered: `busy` with 429 when it comes for the first time,
`refused` with 400, `broken` with 500, all others with a vector.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

_OVER = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)


@dataclass(slots=True)
class EmbeddingApi:
    """Where it is, and what came.

    Attributes:
        pause_s: How long each answer takes.
        asked: How often each text came.
        headers: Those of the last request, names in lower case.
        connections: How many were opened.
        peak: How many requests it had at the same time, at most.
    """

    pause_s: float
    port: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    headers: dict[str, str] = field(default_factory=dict)
    connections: int = 0
    peak: int = 0
    _now: int = 0
    _serving: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/embeddings"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        if task := asyncio.current_task():
            self._serving.add(task)
        with contextlib.suppress(*_OVER):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                pairs = (line.split(": ", 1) for line in head[1:] if line)
                self.headers = {name.lower(): value for name, value in pairs}
                length = int(self.headers.get("content-length", "0"))
                writer.write(await self._answer(json.loads(await reader.readexactly(length))))
                await writer.drain()
        writer.close()

    async def _answer(self, request: dict[str, Any]) -> bytes:
        text = request["input"]
        self.asked[text] += 1
        self._now += 1
        self.peak = max(self.peak, self._now)
        try:
            await asyncio.sleep(self.pause_s)
        finally:
            self._now -= 1
        if text.startswith("busy") and self.asked[text] == 1:
            return _response(429, {"error": "slow down"}, "Retry-After: 1")
        if text.startswith("refused"):
            return _response(400, {"error": "no such language"})
        if text.startswith("broken"):
            return _response(500, {"error": "out of order"})
        return _response(200, {"data": [{"embedding": vector_of(text)}]})

    async def end(self) -> None:
        """Break off every connection."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)


def vector_of(text: str) -> list[float]:
    """Return what the API makes of a text."""
    return [len(text) / 2, float(sum(text.encode()))]


def _response(status: int, content: object, *headers: str) -> bytes:
    body = json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def embedding_api(*, pause_s: float) -> Iterator[EmbeddingApi]:
    """Run the API until the block ends."""
    api = EmbeddingApi(pause_s)
    ready = threading.Event()
    end: list[Callable[[], object]] = []

    async def serve() -> None:
        over = asyncio.Event()
        end.append(partial(asyncio.get_running_loop().call_soon_threadsafe, over.set))
        server = await asyncio.start_server(api.serve, "127.0.0.1", 0, backlog=1024)
        api.port = server.sockets[0].getsockname()[1]
        ready.set()
        await over.wait()
        server.close()
        await api.end()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="api", daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield api
    finally:
        end[0]()
        thread.join(5)
