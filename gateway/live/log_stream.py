"""The open stream of one client that reads a function's output, as lines of JSON (NDJSON).

Used by `gateway.resources.openfaas_logs`. While it follows the function, it looks for new lines
twice a second: nothing notifies a gateway of every invocation of a function. `EventStreams` ends it
as it ends the streams of events: when the process stops, and when its reader's key is revoked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec
import structlog

from gateway.live.event_streams import EventStreams, Reader
from gateway.live.function_logs import FunctionLog, LogLine
from gateway.parsing.function_names import NAMESPACE
from runtime.errors import StoreError
from runtime.invocations.view import moment

OF_FUNCTIONS = ""  # what `EventStreams` has these streams under: they are of no one invocation
_LOOK_S = 0.5
_HEARTBEAT_S = 15.0
_STILL_HERE = b"\n"

_log = structlog.get_logger(__name__)


class LogStream:
    """An asynchronous iterator of pieces of NDJSON.

    Args:
        streams: The open streams of the process.
        log: What is read.
        first: The lines of before.
        name: The function, as the lines name it.
        is_followed: Whether lines that come later are sent too.
        reader: The client.
        heartbeat_s: After how long without lines an empty one is sent.
    """

    def __init__(
        self,
        streams: EventStreams,
        log: FunctionLog,
        first: Iterable[LogLine],
        *,
        name: str,
        is_followed: bool,
        reader: Reader,
        heartbeat_s: float = _HEARTBEAT_S,
    ) -> None:
        self.invocation_id = OF_FUNCTIONS
        self.reader = reader
        self._streams = streams
        self._log = log
        self._first: Iterable[LogLine] | None = first
        self._name = name
        self._is_over = not is_followed
        self._heartbeat_s = heartbeat_s
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._speaks_at = 0.0

    def __aiter__(self) -> LogStream:
        return self

    async def __anext__(self) -> bytes:
        if self._first is not None:
            text, self._first = self._render(self._first), None
            if not self._is_over:
                self._streams.enter(self)
            return self._say(text)
        while not self._is_over:
            await self._pause()
            if self._loop.time() >= self.reader.ends_at:
                break
            try:
                text = self._render(await self._log.read_new())
            except StoreError as error:
                _log.debug("logs_unread", function=self._name, reason=str(error))
                text = b""
            if text:
                return self._say(text)
            if self._loop.time() >= self._speaks_at:
                return self._say(_STILL_HERE)
        self._streams.leave(self)
        raise StopAsyncIteration

    async def close(self) -> None:
        """End (called when the response ends); safe to call twice."""
        self._streams.leave(self)

    def notify(self) -> None:
        """Do nothing: the next look finds what is new."""

    def stop(self) -> None:
        """End the stream."""
        self._is_over = True
        self._woken.set()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_S):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _render(self, lines: Iterable[LogLine]) -> bytes:
        return b"".join(
            msgspec.json.encode(
                {
                    "name": self._name,
                    "namespace": NAMESPACE,
                    "instance": line.invocation_id,
                    "timestamp": moment(line.at_ms),
                    "text": line.text,
                }
            )
            + b"\n"
            for line in lines
        )

    def _say(self, text: bytes) -> bytes:
        self._speaks_at = self._loop.time() + self._heartbeat_s
        return text
