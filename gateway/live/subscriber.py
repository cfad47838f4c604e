"""The messages from Redis to a gateway process: finished invocations, events, functions, keys.

On the gateway's inbox, an invocation's id and a line feed say that it has new events; with the
record behind the line feed, that it has finished. Two more channels announce changed manifests,
and revoked keys with ended sessions. Pub/sub loses messages while the connection is down, so after
each (re)connection everything that depends on them is read again.
"""

from __future__ import annotations

import asyncio

import structlog

from gateway.auth.key_check import KeyCache
from gateway.live.event_streams import EventStreams
from gateway.live.manifest_cache import ManifestCache
from gateway.live.waiters import InvocationReader, Waiters
from runtime.errors import StoreError
from runtime.store.pubsub import PubSub
from runtime.store.redis_keys import Keys
from runtime.telemetry.background import lasting_task

_log = structlog.get_logger(__name__)
_LOOK_AGAIN_S = 0.5


class Subscriber:
    """Subscribes to the gateway's inbox and to both channels of changes."""

    def __init__(
        self,
        url: str,
        gateway_id: str,
        waiters: Waiters,
        invocation_reader: InvocationReader,
        streams: EventStreams,
        manifest_cache: ManifestCache,
        key_cache: KeyCache,
    ) -> None:
        self._channel = Keys().build("inbox", gateway_id)
        self._waiters = waiters
        self._invocation_reader = invocation_reader
        self._streams = streams
        self._manifest_cache = manifest_cache
        self._key_cache = key_cache
        self._access_news = Keys().build("access_news")
        self._looking: asyncio.Task[None] | None = None
        self._subscription = PubSub(
            url,
            [self._channel, Keys().build("news"), self._access_news],
            on_message=self._on_message,
            on_connect=self._on_connect,
            on_disconnect=key_cache.on_unsubscribed,
        )

    def start(self) -> None:
        """Subscribe, in the running loop."""
        self._subscription.start()

    async def stop(self) -> None:
        """Unsubscribe; safe to call twice."""
        await self._subscription.stop()
        if self._looking is not None:
            self._looking.cancel()

    def _on_message(self, channel: str, payload: bytes) -> None:
        if channel == self._access_news:
            self._key_cache.on_revocation(payload)
        elif channel != self._channel:
            self._manifest_cache.mark_stale()
        elif payload.endswith(b"\n") and payload.find(b"\n") == len(payload) - 1:  # no record
            self._streams.notify(payload[:-1].decode("ascii", "replace"))
        else:
            self._waiters.notify(payload)

    def _on_connect(self) -> None:
        """Read everything again: messages published while the connection was down are lost."""
        self._key_cache.on_subscribed()  # empties the cache, which missed revocations
        self._manifest_cache.mark_stale()
        # A read that began with an earlier connection may be older than the messages missed since.
        if self._looking is not None:
            self._looking.cancel()
        self._looking = lasting_task(self._look_until_it_works, name="inbox")
        self._streams.look_again()

    async def _look_until_it_works(self) -> None:
        """Read what callers wait for, until Redis answers: it may still be loading its data."""
        while True:
            if await self._invocation_reader.look_again() and await self._look_after_readers():
                return
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _look_after_readers(self) -> bool:
        """End the streams of keys and sessions that ended meanwhile; False without Redis."""
        readers = self._streams.readers()
        try:
            await self._key_cache.refresh(
                {reader.key_id for reader in readers if reader.key_id},
                {reader.session for reader in readers if reader.session},
            )
        except StoreError as error:
            _log.warning("keys_unread", reason=str(error))
            return False
        return True
