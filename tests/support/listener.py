"""Hearing what Redis publishes, from before it is published."""

from __future__ import annotations

from typing import Any

import hiredis

from runtime.store.address import parse_address
from runtime.store.line import open_socket

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
        self._socket.close()
        return payload

    def _next(self) -> Any:
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self._socket.recv(65536))
        return reply
