"""The gateway's own processor time for one call, without sockets, neighbours or Redis.

    python -m tests.bench.accept_in_process [--rounds 200] [--only accept]

Requests are put into 32 connections of the gateway's server in one event loop, and a stand-in
for Redis answers at once; so nothing but our code, Falcon and the loop runs, and the least of
many short rounds is steady to a few percent even on a busy machine. `server` is the server
alone, the echoes are bare Falcon on it; `keyed` to `all-of-it` are the calls of `shown.py`.
Run a profiler on this to see where the time goes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from unittest.mock import AsyncMock, patch

import uvloop
from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.app import create
from gateway.auth.key_check import KeyCache
from gateway.cli.load.plan import NUMBER
from gateway.live.manifest_cache import ManifestCache
from gateway.serving.connection import Connection
from gateway.serving.dispatch import HeadCache
from gateway.serving.limits import ConnectionLimits
from runtime.access.api_key import generate_key_text
from runtime.settings import Settings
from runtime.store.access_commands import FoundKeys, StoredKey, touch_keys
from runtime.store.async_connection import AsyncConnection
from runtime.store.connection_protocol import ConnectionProtocol
from tests.bench import echo
from tests.bench.acceptance import BODY, GREET
from tests.bench.shown import TITLES, Shown, headers_of, query_of

_CONNECTIONS = 32
_REQUESTS = 300
_PEERS = {"sockname": ("127.0.0.1", 8000), "peername": ("127.0.0.1", 40000)}
_OWN_HEADERS = [
    (b"date", b"Sun, 22 Nov 2026 11:50:37 GMT"),
    (b"x-content-type-options", b"nosniff"),
]
_KEY = generate_key_text()
_NUMBERS = itertools.count(10**15)
Application = Callable[..., Awaitable[None]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something to post to, and what each request shows besides its body."""

    application: Application
    path: str
    shown: frozenset[Shown] = field(default_factory=frozenset)

    def requests(self) -> Iterator[bytes]:
        """Return whole requests; where they hold a number, each holds another one."""
        headers = {"Host": "localhost", **headers_of(self.shown, _KEY.write())}
        lines = [f"POST {self.path}{query_of(self.shown)} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(BODY)}", "", BODY]
        request = "\r\n".join(lines)
        while True:
            yield request.replace(NUMBER, str(next(_NUMBERS))).encode()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--only")
    chosen = parser.parse_args()
    uvloop.run(_measure(chosen.rounds, chosen.only))


async def _measure(rounds: int, only: str | None) -> None:
    echoing, gateway = echo.create(), await _gateway()
    targets = {
        "server": Target(application=_answer_at_once, path="/"),
        "echo, media": Target(application=echoing, path="/media"),
        "echo, raw": Target(application=echoing, path="/raw"),
        "accept": Target(application=gateway, path="/functions/greet"),
    }
    for name, shown in TITLES.items():
        targets[name] = Target(application=gateway, path="/functions/greet", shown=shown)
    if only is not None:
        targets = {only: targets[only]}
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    found: dict[str, list[float]] = {name: [] for name in targets}
    for _ in range(rounds):
        for name, target in targets.items():
            found[name].append(await _round(target))
    for name, took_us in found.items():
        took_us.sort()
        middle = took_us[len(took_us) // 2]
        sys.stdout.write(f"{name:15} least {took_us[0]:6.2f} us, median {middle:6.2f} us\n")


async def _round(target: Target) -> float:
    loop = asyncio.get_running_loop()
    state = ServerState()
    state.default_headers = _OWN_HEADERS
    config = Config(cast("Any", target.application), access_log=False)
    config.loaded_app = cast("Any", target.application)
    requests = list(itertools.islice(target.requests(), _REQUESTS))
    left = _Left(_REQUESTS, loop.create_future())
    heads = HeadCache()
    clients = []
    for _ in range(_CONNECTIONS):
        connection = Connection(config, state, {}, loop, limits=ConnectionLimits(), heads=heads)
        client = _Client(loop, connection, requests, left)
        connection.connection_made(cast("Any", client))
        clients.append(client)
    begun = time.thread_time()
    for client in clients:
        client.ask()
    await left.none
    return (time.thread_time() - begun) / _REQUESTS * 1e6


async def _gateway() -> Application:
    """Return a gateway that knows a function and a key, with the stand-in for Redis behind it."""
    application = create(Settings(redis="unix:///nowhere", callback_allow_loopback=True))
    store = _find(AsyncConnection)
    wire = ConnectionProtocol(asyncio.get_running_loop(), 1.0)
    wire.connection_made(cast("Any", _Redis(wire)))
    with patch("runtime.store.async_connection.open_wire", AsyncMock(return_value=wire)):
        await store.run(touch_keys([_KEY.id]))
    manifest_cache, key_cache = _find(ManifestCache), _find(KeyCache)
    manifest_cache.manifests, manifest_cache.is_loaded = {"greet": GREET}, True
    key_cache.on_subscribed()
    stored = StoredKey(id=_KEY.id, name="bench", digest=_KEY.digest(), scopes=("invoke:*",))
    with patch.object(store, "run", AsyncMock(return_value=FoundKeys(now_ms=1, keys=(stored,)))):
        await key_cache.find(_KEY.id)
    return application


def _find(kind: type[T]) -> T:
    [found] = [one for one in gc.get_objects() if type(one) is kind]
    return cast("T", found)


async def _answer_at_once(scope: object, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Left:
    def __init__(self, count: int, none: asyncio.Future[None]) -> None:
        self.count = count
        self.none = none


class _Client:
    """A transport whose client asks again as soon as it is answered."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connection: Connection,
        requests: list[bytes],
        left: _Left,
    ) -> None:
        self._loop = loop
        self._connection = connection
        self._requests = requests
        self._left = left

    def ask(self) -> None:
        self._connection.data_received(self._requests.pop())

    def write(self, data: bytes) -> None:
        left = self._left
        if not data.startswith(b"HTTP/1.1 202") and not left.none.done():
            left.none.set_exception(RuntimeError(data.decode()))
            return
        left.count -= 1
        if left.count >= _CONNECTIONS:
            self._loop.call_soon(self.ask)
        elif left.count == 0:
            left.none.set_result(None)

    def get_extra_info(self, name: str, default: object = None) -> object:
        return _PEERS.get(name, default)

    def is_closing(self) -> bool:
        return False


class _Redis:
    """A transport that answers `submit_invocations`, and `touch_api_keys`."""

    def __init__(self, wire: ConnectionProtocol) -> None:
        self._wire = wire

    def write(self, data: bytes) -> None:
        reply = b""
        for command in data.split(b"EVALSHA")[1:]:
            count = command.count(BODY.encode())
            reply += b"*%d\r\n:1763812345678\r\n" % (count + 1) if count else b":1\r\n"
            reply += b":0\r\n" * count
        asyncio.get_running_loop().call_soon(self._wire.data_received, reply)


if __name__ == "__main__":
    main()
