"""Hearing what Redis publishes, from before it is published."""

from __future__ import annotations

from typing import Any

import hiredis

from runtime.store.blocking_connection import open_socket
from runtime.store.redis_url import parse_address

_TIMEOUT_S = 5


class Listener:
    """Subscribes to one channel; returns when the subscription stands."""

    def __init__(self, url: str, channel: str) -> None:
        self._socket = open_socket(parse_address(url), _TIMEOUT_S)
        self._reader = hiredis.Reader()
        self._socket.sendall(hiredis.pack_command(("SUBSCRIBE", channel)))
        self._next()

    def one(self) -> bytes:
        """Wait for one message, return its payload and stop listening."""
        payload: bytes = self._next()[2]
        self.close()
        return payload

    def all(self) -> list[bytes]:
        """Return the payloads of what was published until now and not returned yet."""
        # A subscriber's PING is answered behind everything published before it.
        self._socket.sendall(hiredis.pack_command(("PING",)))
        return [reply[2] for reply in iter(self._next, [b"pong", b""])]

    def close(self) -> None:
        """Stop listening; twice is safe."""
        self._socket.close()

    def _next(self) -> Any:
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self._socket.recv(65536))
        return reply
