"""A blocking connection to Redis, for the threads of a worker and for commands.

A `BlockingConnection` is one socket and one lock: one request and its reply at a time. It connects
on first use and, after a failure, at the next request. It never retries on its own: only the caller
knows whether a request may be sent twice.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, TypeVar, cast

import hiredis

from runtime.errors import StoreError, StoreUnavailableError
from runtime.store.error_counters import REDIS_ERRORS
from runtime.store.redis_keys import Keys
from runtime.store.redis_url import RedisUrl, check_handshake, parse_address
from runtime.store.resp import NoScriptError, failure_of, is_demotion, pack
from runtime.store.scripts import Argument, Command
from runtime.store.sentinel import locate_blocking

T = TypeVar("T")
_READ_BYTES = 65_536
_BLOCK_GRACE_S = 2.0
_KEEP_ALIVE = {"TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 2}


class PendingReplies:
    """Commands that were sent; `replies` is None until their raw replies have been read."""

    __slots__ = ("calls", "replies")

    def __init__(self, calls: Sequence[Command[Any]]) -> None:
        self.calls = calls
        self.replies: list[Any] | None = None


class BlockingConnection:
    """One blocking connection; threads that share it take turns.

    Args:
        url: Where Redis is.
        timeout_s: Longest wait for a reply, and for connecting.
        keys: The partition that scripts run on.
    """

    def __init__(self, url: str, *, timeout_s: float = 5.0, keys: Keys | None = None) -> None:
        self.keys = keys or Keys()
        self._address = parse_address(url)
        self._where = self._address.name
        self._timeout_s, self._connect_s = self._address.limits_s(timeout_s)
        self._socket: socket.socket | None = None
        self._is_half_closed = False
        self._reader = hiredis.Reader()
        self._sent: deque[PendingReplies] = deque()
        self._lock = threading.Lock()

    def run(self, call: Command[T]) -> T:
        """Send one command and return its parsed reply.

        Raises:
            StoreError: Redis is unavailable (StoreUnavailableError) or replies with an error.
        """
        [reply] = self.run_many([call])
        return cast("T", reply)

    def run_many(self, calls: Sequence[Command[Any]]) -> list[Any]:
        """Send several commands in one round trip; they are not a transaction."""
        with REDIS_ERRORS, self._lock:
            replies = self._exchange([command_words(call, self.keys) for call in calls])
            self._run_unknown(calls, replies)
        return _parsed(calls, replies)

    def begin(self, calls: Sequence[Command[Any]]) -> PendingReplies:
        """Send commands as `run_many` does, but leave their replies for `finish`.

        Raises:
            StoreUnavailableError: Redis is unavailable; it may have received the commands.
        """
        sent = PendingReplies(calls)
        with REDIS_ERRORS, self._lock:
            self._send([command_words(call, self.keys) for call in calls])
            self._sent.append(sent)
        return sent

    def finish(self, sent: PendingReplies) -> list[Any]:
        """Wait for the replies of commands that were begun, and return them parsed.

        Raises:
            StoreError: As in `run`. If the connection broke, it is unknown whether Redis has run
                the commands.
        """
        with REDIS_ERRORS, self._lock:
            if sent.replies is None:
                if sent not in self._sent:
                    # Dropped by `close`: the connection that would have brought them is gone.
                    raise StoreUnavailableError(f"Redis at {self._where}: the connection broke")
                self._receive_sent()
            replies = sent.replies or []
            self._run_unknown(sent.calls, replies)
        return _parsed(sent.calls, replies)

    def block(self, keys: Sequence[str], *, timeout_s: float) -> tuple[str, bytes] | None:
        """Run BLPOP: return (key, value) as soon as one of the lists has an element, else None."""
        words = ("BLPOP", *keys, f"{timeout_s:.3f}")
        with REDIS_ERRORS, self._lock:
            [reply] = self._exchange([words], grace_s=timeout_s + _BLOCK_GRACE_S)
            if isinstance(reply, StoreError):
                raise reply
        return None if reply is None else (reply[0].decode(), reply[1])

    def fileno(self) -> int:
        """Return the socket's descriptor, to poll for replies of what was begun; -1 if closed."""
        sock = self._socket
        return -1 if sock is None else sock.fileno()

    def half_close(self) -> None:
        """End a request that blocks in Redis; a reply that is on its way still arrives.

        May be called from any thread. The next request reconnects.
        """
        sock = self._socket
        if sock is not None:
            # Set before the shutdown: a request that begins after it must reconnect.
            self._is_half_closed = True
            with contextlib.suppress(OSError):  # not SSLSocket.shutdown: that ends decryption, too
                socket.socket.shutdown(sock, socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket; the next request reconnects."""
        sock, self._socket = self._socket, None
        self._sent.clear()
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _run_unknown(self, calls: Sequence[Command[Any]], replies: list[Any]) -> None:
        """Run scripts that Redis did not have, this time with their source: nothing was run yet."""
        for index, reply in enumerate(replies):
            if isinstance(reply, NoScriptError):
                [replies[index]] = self._exchange(
                    [command_words(calls[index], self.keys, whole=True)]
                )

    def _exchange(
        self, requests: Sequence[tuple[Argument, ...]], *, grace_s: float = 0.0
    ) -> list[Any]:
        self._send(requests, grace_s=grace_s)
        # Replies come in the order of requests, so those that `begin` left open come first.
        self._receive_sent()
        return self._receive(len(requests))

    def _send(self, requests: Sequence[tuple[Argument, ...]], *, grace_s: float = 0.0) -> None:
        if self._is_half_closed:
            self._is_half_closed = False
            self.close()
        try:
            sock = self._socket or self._open()
            sock.settimeout(grace_s or self._timeout_s)
            sock.sendall(b"".join(pack(words) for words in requests))
        except OSError as error:
            # Redis may have received all, some or none of the requests.
            self.close()
            raise StoreUnavailableError(f"Redis at {self._where}: {error}") from error

    def _receive_sent(self) -> None:
        """Read the replies of what was begun and not finished: they come first."""
        while self._sent:
            sent = self._sent[0]
            sent.replies = self._receive(len(sent.calls))
            if self._sent:  # empty if a demotion has closed the connection
                self._sent.popleft()

    def _receive(self, count: int) -> list[Any]:
        sock = self._socket
        try:
            if sock is None:
                raise ConnectionResetError("the connection broke")
            replies = [_read_reply(sock, self._reader) for _ in range(count)]
        except (OSError, hiredis.ProtocolError) as error:
            # Requests may have been run or not. The position in the stream of replies is lost: on
            # this connection a later reply could be taken for that of another request.
            self.close()
            raise StoreUnavailableError(f"Redis at {self._where}: {error}") from error
        failures = [failure_of(str(r)) if isinstance(r, hiredis.ReplyError) else r for r in replies]
        if any(is_demotion(failure) for failure in failures):
            # The next request reconnects and so finds the new master.
            self.close()
        return failures

    def _open(self) -> socket.socket:
        # A new parser, because the old one may hold half a reply of the lost connection.
        self._reader = hiredis.Reader()
        self._socket, self._where = connect(self._address, self._connect_s)
        self._socket.settimeout(self._timeout_s)
        return self._socket


def _read_reply(sock: socket.socket, reader: Any) -> Any:  # noqa: ANN401 - a reply is any RESP value
    while True:
        reply = reader.gets()
        if reply is not False:
            return reply
        data = sock.recv(_READ_BYTES)
        if not data:
            raise ConnectionResetError("closed by the server")
        reader.feed(data)


def _parsed(calls: Sequence[Command[Any]], replies: list[Any]) -> list[Any]:
    for reply in replies:
        if isinstance(reply, StoreError):
            raise reply
    return [call.parse(reply) for call, reply in zip(calls, replies, strict=True)]


def connect(address: RedisUrl, timeout_s: float) -> tuple[socket.socket, str]:
    """Find the server, connect, do the handshake; return the socket and the server's name.

    Raises:
        StoreError: Redis is unavailable, too old, a replica, or refuses the login.
        OSError: It cannot be reached.
    """
    servers = locate_blocking(address)
    for server in servers[:-1]:
        with contextlib.suppress(StoreUnavailableError, OSError):
            return _connect_to(server, timeout_s)
    return _connect_to(servers[-1], timeout_s)


def _connect_to(server: RedisUrl, timeout_s: float) -> tuple[socket.socket, str]:
    sock = open_socket(server, timeout_s)
    reader = hiredis.Reader()
    try:
        requests = server.handshake()
        sock.sendall(b"".join(pack(words) for words in requests))
        check_handshake([_read_reply(sock, reader) for _ in requests])
    except (StoreError, OSError):
        sock.close()
        raise
    except hiredis.ProtocolError as error:
        sock.close()
        raise StoreUnavailableError(f"Redis at {server.name}: {error}") from error
    return sock, server.name


def open_socket(address: RedisUrl, timeout_s: float) -> socket.socket:
    """Connect to a Redis server, with TLS if the address requires it."""
    if address.path is not None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout_s)
        try:
            sock.connect(address.path)
        except OSError:
            sock.close()
            raise
        return sock
    sock = socket.create_connection((address.host, address.port), timeout=timeout_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    keep_alive(sock)
    context = address.tls_context()
    return sock if context is None else context.wrap_socket(sock, server_hostname=address.host)


def keep_alive(sock: socket.socket) -> None:
    """Let the kernel detect a peer that is silently gone while we wait for its replies."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):  # not on every system
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def command_words(call: Command[Any], keys: Keys, *, whole: bool = False) -> tuple[Argument, ...]:
    """Return the words to send: EVALSHA, EVAL with the source, or the command itself."""
    script = call.script
    if script is None:
        return call.words
    if whole:
        return ("EVAL", script.source, 1, keys.prefix, *call.words)
    return ("EVALSHA", script.sha, 1, keys.prefix, *call.words)
