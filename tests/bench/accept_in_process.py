"""The gateway's own processor time for one call, without sockets, neighbours or Redis.

    python -m tests.bench.accept_in_process [--rounds 200] [--only accept]

Requests are put into 32 connections of the gateway's server in one event loop, and a stand-in
for Redis answers at once; so nothing but our code, Falcon and the loop runs, and the least of
many short rounds is steady to a few percent even on a busy machine. `server` is the server
alone, the echoes are bare Falcon on it. Run a profiler on this to see where the time goes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import uvloop
from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.app import create
from gateway.serving.beginning import KnownHeads
from gateway.serving.connection import Connection
from gateway.serving.limits import Limits
from runtime.settings import Settings
from runtime.store.multiplexer import Multiplexer, Wire
from tests.bench import echo
from tests.bench.acceptance import BODY, GREET

_CONNECTIONS = 32
_REQUESTS = 300
_PEERS = {"sockname": ("127.0.0.1", 8000), "peername": ("127.0.0.1", 40000)}
_OWN_HEADERS = [
    (b"date", b"Sun, 22 Nov 2026 11:50:37 GMT"),
    (b"x-content-type-options", b"nosniff"),
]
Application = Callable[..., Awaitable[None]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--only")
    chosen = parser.parse_args()
    uvloop.run(_measure(chosen.rounds, chosen.only))


async def _measure(rounds: int, only: str | None) -> None:
    echoing, gateway = echo.create(), _gateway()
    targets: dict[str, tuple[Application, str]] = {
        "server": (_answer_at_once, "/"),
        "echo, media": (echoing, "/media"),
        "echo, raw": (echoing, "/raw"),
        "accept": (gateway, "/functions/greet"),
    }
    if only is not None:
        targets = {only: targets[only]}
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    found: dict[str, list[float]] = {name: [] for name in targets}
    for _ in range(rounds):
        for name, (application, path) in targets.items():
            found[name].append(await _round(application, path))
    for name, took_us in found.items():
        took_us.sort()
        middle = took_us[len(took_us) // 2]
        sys.stdout.write(f"{name:12} least {took_us[0]:6.2f} us, median {middle:6.2f} us\n")


async def _round(application: Application, path: str) -> float:
    loop = asyncio.get_running_loop()
    state = ServerState()
    state.default_headers = _OWN_HEADERS
    config = Config(cast("Any", application), access_log=False)
    config.loaded_app = cast("Any", application)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(BODY)}\r\n\r\n{BODY}".encode()
    left = _Left(_REQUESTS, loop.create_future())
    heads = KnownHeads()
    clients = []
    for _ in range(_CONNECTIONS):
        connection = Connection(config, state, {}, loop, limits=Limits(), heads=heads)
        client = _Client(loop, connection, request, left)
        connection.connection_made(cast("Any", client))
        clients.append(client)
    begun = time.thread_time()
    for client in clients:
        client.ask()
    await left.none
    return (time.thread_time() - begun) / _REQUESTS * 1e6


def _gateway() -> Application:
    """Return a gateway that knows one function, with the stand-in for Redis behind it."""
    before = {id(one) for one in gc.get_objects() if isinstance(one, Multiplexer)}
    application = create(Settings(redis="unix:///nowhere"))
    [store] = [
        one for one in gc.get_objects() if isinstance(one, Multiplexer) and id(one) not in before
    ]
    wire = Wire(asyncio.get_running_loop(), 1.0)
    wire.connection_made(cast("Any", _Redis(wire)))
    store._wire = wire
    directory = next(one for one in gc.get_objects() if type(one).__name__ == "FunctionDirectory")
    directory.manifests, directory.is_loaded = {"greet": GREET}, True
    return application


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
        self, loop: asyncio.AbstractEventLoop, connection: Connection, request: bytes, left: _Left
    ) -> None:
        self._loop = loop
        self._connection = connection
        self._request = request
        self._left = left

    def ask(self) -> None:
        self._connection.data_received(self._request)

    def write(self, data: bytes) -> None:
        assert data.startswith(b"HTTP/1.1 202")
        left = self._left
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
    """A transport that answers `submit_invocations`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def write(self, data: bytes) -> None:
        assert data.count(b"EVALSHA") == 1
        count = data.count(BODY.encode())
        reply = b"*%d\r\n:1763812345678\r\n" % (count + 1) + b":0\r\n" * count
        asyncio.get_running_loop().call_soon(self._wire.data_received, reply)


if __name__ == "__main__":
    main()
