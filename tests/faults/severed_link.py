"""A TCP link to Redis that can be cut as a network is: nothing passes, nothing is closed.

Connections stay open on both sides; what was sent while the link was cut arrives afterwards,
late, as packets do that are sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PIECE_BYTES = 65_536


class Link:
    """Forwards between a port on loopback and a socket of Redis, while it is whole."""

    def __init__(self, socket_path: str) -> None:
        self.port = 0
        self._socket_path = socket_path
        self._loop = asyncio.new_event_loop()
        self._whole: asyncio.Event | None = None
        self._ends: list[Callable[[], object]] = []

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Let nothing pass from now on."""
        assert self._whole is not None
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        """Let everything pass again, also what has waited."""
        assert self._whole is not None
        self._loop.call_soon_threadsafe(self._whole.set)

    def end(self) -> None:
        """Break off what is left and stop."""
        for end in self._ends:
            self._loop.call_soon_threadsafe(end)

    def run(self, ready: threading.Event) -> None:
        """Forward until `end`; in a thread of its own."""
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    async def _serve(self, ready: threading.Event) -> None:
        self._whole = asyncio.Event()
        self._whole.set()
        over = asyncio.Event()
        self._ends.append(over.set)
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await over.wait()
        server.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=0.1)

    async def _join(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        there, forth = await asyncio.open_unix_connection(self._socket_path)
        ways = [
            asyncio.create_task(self._carry(here, forth)),
            asyncio.create_task(self._carry(there, back)),
        ]
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for writer in (forth, back):
                writer.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        assert self._whole is not None
        with contextlib.suppress(OSError):
            while piece := await source.read(PIECE_BYTES):
                await self._whole.wait()
                target.write(piece)
                await target.drain()
            await self._whole.wait()


@contextmanager
def linked(socket_path: str) -> Iterator[Link]:
    """Run a link to a socket of Redis until the block ends."""
    link = Link(socket_path)
    ready = threading.Event()
    thread = threading.Thread(target=link.run, args=(ready,), name="link")
    thread.start()
    assert ready.wait(5)
    try:
        yield link
    finally:
        link.end()
        thread.join(5)
