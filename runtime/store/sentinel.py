"""Find the current master: ask the sentinels of a Redis, at every (re)connection.

All are asked at once, because the first one listed may be on the machine that has just died. The
server that most of them name is tried first. A sentinel that does not know of a fail-over yet is
outvoted, or its server fails the handshake: it does not answer or is no master (ROLE).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import replace
from typing import Any

import hiredis

from runtime.errors import StoreUnavailableError
from runtime.store.redis_url import RedisUrl, SentinelConfig, authentication_of
from runtime.store.resp import pack

ASKING_S = 0.4
_READ_BYTES = 4096
_Master = tuple[str, int]


def locate_blocking(address: RedisUrl) -> list[RedisUrl]:
    """As `locate`, for threads without a running event loop."""
    return [address] if address.watch is None else asyncio.run(locate(address))


async def locate(address: RedisUrl) -> list[RedisUrl]:
    """Return the servers to try, most likely the master first; without sentinels, the address.

    Raises:
        StoreUnavailableError: No sentinel answers, or none knows the service.
    """
    watch = address.watch
    if watch is None:
        return [address]
    votes: Counter[_Master] = Counter()
    asked = [asyncio.create_task(_ask(sentinel, watch, address)) for sentinel in watch.sentinels]
    try:
        for answer in asyncio.as_completed(asked):
            master = await answer
            if master is not None:
                votes[master] += 1
                if votes[master] > len(asked) // 2:
                    break
    finally:
        for question in asked:
            question.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    if not votes:
        names = ", ".join(f"{host}:{port}" for host, port in watch.sentinels)
        raise StoreUnavailableError(f"no sentinel of {names} knows a master of {watch.service!r}")
    return [replace(address, host=host, port=port) for (host, port), _ in votes.most_common()]


async def _ask(sentinel: _Master, watch: SentinelConfig, address: RedisUrl) -> _Master | None:
    """Return what one sentinel names; None if it is unavailable, does not know, or refuses."""
    context = address.tls_context()
    with contextlib.suppress(OSError, TimeoutError, hiredis.ProtocolError, ValueError):
        async with asyncio.timeout(ASKING_S):
            reader, writer = await asyncio.open_connection(*sentinel, ssl=context)
            try:
                words = authentication_of(watch.username, watch.password)
                words.append(("SENTINEL", "GET-MASTER-ADDR-BY-NAME", watch.service))
                writer.write(b"".join(pack(word) for word in words))
                return _read_master(await _last_reply(reader, count=len(words)))
            finally:
                writer.transport.abort()
    return None


async def _last_reply(reader: asyncio.StreamReader, *, count: int) -> Any:  # noqa: ANN401 - RESP
    replies = hiredis.Reader()
    reply = None
    for _ in range(count):
        while (reply := replies.gets()) is False:
            data = await reader.read(_READ_BYTES)
            if not data:
                return None
            replies.feed(data)
    return reply


def _read_master(reply: Any) -> _Master | None:  # noqa: ANN401 - a reply is any RESP value
    if not isinstance(reply, list):
        return None
    host, port = reply
    return host.decode(), int(port)
