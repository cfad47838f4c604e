"""Performs flows, blocking, with `httpx.Client`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

import httpx

from penstock.client.httpx_requests import LOST, OK, Address, answer_of, lost
from penstock.client.steps import Done, Emit, Flow, Lost, Open, Pause, Read, Send, Step, advance

T = TypeVar("T")


class Driver:
    """Performs flows, blocking."""

    def __init__(self, http: httpx.Client, address: Address) -> None:
        self.http = http
        self.address = address

    def run(self, flow: Flow[T]) -> T:
        """Perform a flow that emits nothing; return its value."""
        step = advance(flow, None)
        while not isinstance(step, Done):
            step = advance(flow, self._perform(step))
        return step.value

    def iterate(self, flow: Flow[None]) -> Iterator[Any]:
        """Perform a flow and yield what it emits."""
        with ExitStack() as opened:
            stream: Iterator[bytes] | None = None
            step = advance(flow, None)
            while not isinstance(step, Done):
                reply: object = None
                if isinstance(step, Emit):
                    yield step.value
                elif isinstance(step, Open):
                    opened.close()
                    reply, stream = self._open(step, opened)
                elif isinstance(step, Read):
                    reply = self._read(stream)
                else:
                    reply = self._perform(step)
                step = advance(flow, reply)

    def _perform(self, step: Step) -> object:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        assert isinstance(step, Send)  # noqa: S101 - flows that emit or stream are iterated
        try:
            return answer_of(self.http.request(**self.address.parts_of(step.request)))
        except LOST as error:
            return lost(error, self.address)

    def _open(self, step: Open, opened: ExitStack) -> tuple[object, Iterator[bytes] | None]:
        parts = self.address.parts_of(step.request, is_stream=True)
        try:
            response = opened.enter_context(self.http.stream(**parts))
            if response.status_code == OK:
                return answer_of(response, is_read=False), response.iter_bytes()
            response.read()
            return answer_of(response), None
        except LOST as error:
            return lost(error, self.address), None

    def _read(self, stream: Iterator[bytes] | None) -> bytes | Lost:
        try:
            piece = b"" if stream is None else next(stream, b"")
        except LOST as error:
            return lost(error, self.address)
        return piece or Lost(reason=f"{self.address.url} ended the stream")
