"""Performs flows in an event loop, with `httpx.AsyncClient`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import httpx

from penstock.client.httpx_requests import LOST, OK, Address, answer_of, lost
from penstock.client.steps import Done, Emit, Flow, Lost, Open, Pause, Read, Send, Step, advance

T = TypeVar("T")


class Driver:
    """Performs flows in an event loop."""

    def __init__(self, http: httpx.AsyncClient, address: Address) -> None:
        self.http = http
        self.address = address

    async def run(self, flow: Flow[T]) -> T:
        """Perform a flow that emits nothing; return its value."""
        step = advance(flow, None)
        while not isinstance(step, Done):
            step = advance(flow, await self._perform(step))
        return step.value

    async def iterate(self, flow: Flow[None]) -> AsyncGenerator[Any, None]:
        """Perform a flow and yield what it emits."""
        async with AsyncExitStack() as opened:
            stream: AsyncIterator[bytes] | None = None
            step = advance(flow, None)
            while not isinstance(step, Done):
                reply: object = None
                if isinstance(step, Emit):
                    yield step.value
                elif isinstance(step, Open):
                    await opened.aclose()
                    reply, stream = await self._open(step, opened)
                elif isinstance(step, Read):
                    reply = await self._read(stream)
                else:
                    reply = await self._perform(step)
                step = advance(flow, reply)

    async def _perform(self, step: Step) -> object:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        assert isinstance(step, Send)  # noqa: S101 - flows that emit or stream are iterated
        try:
            return answer_of(await self.http.request(**self.address.parts_of(step.request)))
        except LOST as error:
            return lost(error, self.address)

    async def _open(
        self, step: Open, opened: AsyncExitStack
    ) -> tuple[object, AsyncIterator[bytes] | None]:
        parts = self.address.parts_of(step.request, is_stream=True)
        try:
            response = await opened.enter_async_context(self.http.stream(**parts))
            if response.status_code == OK:
                return answer_of(response, is_read=False), response.aiter_bytes()
            await response.aread()
            return answer_of(response), None
        except LOST as error:
            return lost(error, self.address), None

    async def _read(self, stream: AsyncIterator[bytes] | None) -> bytes | Lost:
        try:
            piece = b"" if stream is None else await anext(stream, b"")
        except LOST as error:
            return lost(error, self.address)
        return piece or Lost(reason=f"{self.address.url} ended the stream")
