"""A batch that was born is told as born, whatever comes between its commit and its joining."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

from gateway.invoke.batch import submit_batch
from runtime.invocations.submission import Submission
from runtime.store.async_connection import AsyncConnection
from runtime.store.scripts import load_script
from runtime.store.submission_commands import JOINED_AT_ONCE, Submitted, join_batch
from tests.support.life import Life

SIZE = JOINED_AT_ONCE + 500


class Relay:
    """Stands between a gateway and Redis until a certain word is sent, then cuts the connection."""

    def __init__(self, url: str, word: str) -> None:
        self._socket = urlsplit(url).path
        self._word = word.encode()
        self._pipes: set[asyncio.Task[None]] = set()
        self.cuts = 0

    async def start(self) -> tuple[asyncio.Server, str]:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        return server, f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(self._socket)
        back = asyncio.create_task(self._pipe(there_reader, writer))
        self._pipes.add(back)
        await self._pipe(reader, there_writer)
        back.cancel()
        writer.transport.abort()
        there_writer.transport.abort()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if self._word in data:
                    self.cuts += 1
                    return
                writer.write(data)


def test_a_batch_whose_joining_is_cut_is_told_as_born_and_joins_later(life: Life, redis_url: str):
    sample = Submission(function="f", version="v", queue="default", arguments=b"{}")
    relay = Relay(redis_url, f"EVALSHA\r\n$40\r\n{load_script('join_batch').sha}")

    async def submit() -> Submitted:
        server, url = await relay.start()
        async with server:
            store = AsyncConnection(url)
            _, committed = await submit_batch(store, sample, [b"{}"] * SIZE)
            await store.close()
            return committed

    committed = asyncio.run(submit())

    assert (committed.reception, committed.id) == ("NEW", sample.id)
    assert relay.cuts == 1
    while life.connection.run(join_batch(sample.id)):
        pass
    assert int(life.command("ZCARD", life.key("index", "live"))) == SIZE
