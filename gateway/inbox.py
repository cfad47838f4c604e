"""What Redis tells this gateway process: finished invocations, pokes, news of functions and keys.

A poke is an invocation's id and a line feed: there are events for those who follow it. A
notice of its end has the record behind the line feed.
"""

from __future__ import annotations

import asyncio

from gateway.directory import FunctionDirectory
from gateway.event_streams import EventStreams
from gateway.following import Follower
from gateway.key_ring import KeyRing
from gateway.waiting import Waiters
from runtime.store.keys import Keys
from runtime.store.subscription import Subscription


class Inbox:
    """Listens on the gateway's own channel and on those of news."""

    def __init__(
        self,
        url: str,
        gateway_id: str,
        waiters: Waiters,
        follower: Follower,
        streams: EventStreams,
        directory: FunctionDirectory,
        ring: KeyRing,
    ) -> None:
        self._channel = Keys().build("inbox", gateway_id)
        self._waiters = waiters
        self._follower = follower
        self._streams = streams
        self._directory = directory
        self._ring = ring
        self._access_news = Keys().build("access_news")
        self._looking: asyncio.Task[None] | None = None
        self._subscription = Subscription(
            url,
            [self._channel, Keys().build("news"), self._access_news],
            on_message=self._on_message,
            on_connect=self._on_connect,
            on_disconnect=ring.cease_to_hear,
        )

    def start(self) -> None:
        """Begin to listen in the running loop."""
        self._subscription.start()

    async def stop(self) -> None:
        """Stop; safe to call twice."""
        await self._subscription.stop()
        if self._looking is not None:
            self._looking.cancel()

    def _on_message(self, channel: str, payload: bytes) -> None:
        if channel == self._access_news:
            self._ring.hear(payload)
        elif channel != self._channel:
            self._directory.mark_stale()
        elif payload.endswith(b"\n") and payload.count(b"\n") == 1:
            self._streams.poke(payload[:-1].decode("ascii", "replace"))
        else:
            self._waiters.notify(payload)

    def _on_connect(self) -> None:
        """Look at everything again: what was told while we were away is lost."""
        self._ring.begin_to_hear()
        self._directory.mark_stale()
        self._looking = asyncio.create_task(self._follower.look_again())
        self._streams.look_again()
