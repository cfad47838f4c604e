"""How a request starts: its head is found in a cache or parsed, then the application is called.

A client that keeps its connection sends almost the same head with each request. `HeadCache`
returns what equal bytes were parsed to before. If only some lines differ, such as a trace or an
idempotency key, the cache knows the lines that decide the framing and the host, and only splits
the others into name and value. `RequestDispatcher` creates and starts the `RequestCycle`s of one
connection.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Hashable
from typing import Any, Generic, NamedTuple, TypeVar, cast

from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from gateway.serving.body_memory import BodyMemory
from gateway.serving.limits import ConnectionLimits
from gateway.serving.request_cycle import Application, ConnectionPort, RequestCycle
from gateway.serving.request_parser import BODY, HEADERS, Scope

_END = b"\r\n\r\n"
_LONGEST = 4096
_MOST_YOUNG = 256
_MOST_LINES = 1024
_MOST_SEEN = 4096
_MOST_DIGITS = 9
# A subset of the lines that the parser accepts: a token, a colon, one space, then visible
# characters with spaces between them. `++` never backtracks, so each byte is looked at once.
_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]++): ([\x21-\x7e]++(?: ++[\x21-\x7e]++)*+)",
)
# These headers change how a request is read, so a head with one of them is always parsed.
_PARSED = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"proxy-connection"})
Header = tuple[bytes, bytes]
Begun = tuple[Scope, bool, bytes]  # a copy of the scope, whether the connection stays, the body
# The request line, Host, Connection, and whether there is a Content-Length.
Frame = tuple[bytes, bytes | None, bytes | None, bool]
K = TypeVar("K", bound=Hashable)


class CachedHead(NamedTuple):
    """A parsed head; all requests with this head share its scope, so nobody may change it."""

    scope: Scope
    keep_alive: bool
    body_bytes: int


class _Remembered(Generic[K]):
    """A cache in two generations.

    A head that is found moves to the young generation. When that is full, it becomes the old one,
    and the previous old one is dropped. So heads that occur once do not evict heads in use.
    """

    def __init__(self) -> None:
        self._young: dict[K, CachedHead] = {}
        self._old: dict[K, CachedHead] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, key: K) -> CachedHead | None:
        known = self._young.get(key)
        if known is None:
            known = self._old.get(key)
            if known is not None:
                self.note(key, known)
        return known

    def note(self, key: K, known: CachedHead) -> None:
        if len(self._young) >= _MOST_YOUNG:
            self._young, self._old = {}, self._young
        self._young[key] = known


class HeadCache:
    """The heads that the connections of a process have parsed.

    A head is found by all its bytes, or by its frame: the lines that decide how it is parsed. In
    the second case its other lines are only split into names and values. A head is stored when its
    request line was seen before, and a header line when it was seen before: what occurs once
    costs no more than a hash.

    Args:
        limits: The size of a head.
    """

    def __init__(self, limits: ConnectionLimits | None = None) -> None:
        limits = limits or ConnectionLimits()
        self._most_headers = limits.header_count
        self._longest = min(_LONGEST, limits.header_bytes)
        self._wholes = _Remembered[bytes]()
        self._frames = _Remembered[Frame | None]()
        self._lines: dict[bytes, Header] = {}
        self._seen: set[int] = set()

    def recall(self, data: bytes) -> Begun | None:
        """Return the request if `data` is exactly one whole request with a cached head."""
        end = data.find(_END) + len(_END)
        head = data[:end]
        known = self._wholes.find(head)
        if known is None:
            return self._assemble(head, data)
        if len(data) - end != known.body_bytes:
            return None
        return known.scope.copy(), known.keep_alive, data[end:]

    def learn(self, data: bytes, scope: Scope, *, keep_alive: bool) -> None:
        """Store the head of a request that has been parsed.

        Args:
            data: The bytes of exactly this one request.
            scope: What its head was parsed to; shared and unchanged from now on.
            keep_alive: Whether the client keeps the connection.
        """
        if not _PARSED.isdisjoint(scope[HEADERS]):
            return
        body_bytes = int(scope[HEADERS].get(b"content-length", b"0"))
        head = data[: len(data) - body_bytes]
        if len(head) > self._longest or not head.endswith(_END):
            return
        lines = head.split(b"\r\n")
        if not self._comes_again(lines[0]):
            return
        known = CachedHead(scope, keep_alive, body_bytes)
        self._wholes.note(head, known)
        found = [*map(self._lines.get, lines[1:-2])]
        if self._read_new(lines, found):
            headers = cast("list[Header]", found)
            frame = self._frame(lines[0], headers, dict(headers))
            if frame is not None:
                self._frames.note(frame, known)

    def _assemble(self, head: bytes, data: bytes) -> Begun | None:
        """Return a request whose frame is cached, with its own headers; None if it is not."""
        if len(head) > self._longest:
            return None
        lines = head.split(b"\r\n")
        found = [*map(self._lines.get, lines[1:-2])]
        is_new = None in found
        if is_new and not self._read_new(lines, found):
            return None
        headers = cast("list[Header]", found)
        by_name = dict(headers)
        frame = self._frame(lines[0], headers, by_name)
        known = self._frames.find(frame)
        if known is None:
            return None
        body = data[len(head) :]
        if len(body) != int(by_name.get(b"content-length", b"0")):
            return None
        scope = known.scope.copy()
        scope["headers"], scope[HEADERS] = headers, by_name
        if not is_new:
            self._wholes.note(head, CachedHead(scope.copy(), known.keep_alive, len(body)))
        return scope, known.keep_alive, body

    def _read_new(self, lines: list[bytes], headers: list[Header | None]) -> bool:
        """Split the lines that are missing in `headers`; False if one does not match `_LINE`.

        The first line is the request line, the last two are empty.
        """
        for place, header in enumerate(headers, 1):
            if header is None:
                line = lines[place]
                match = _LINE.fullmatch(line)
                if match is None:
                    return False
                headers[place - 1] = read = match[1].lower(), match[2]
                if self._comes_again(line):
                    if len(self._lines) >= _MOST_LINES:
                        self._lines.clear()
                    self._lines[line] = read
        return True

    def _frame(
        self, first: bytes, headers: list[Header], by_name: dict[bytes, bytes]
    ) -> Frame | None:
        """Return the frame of a head; None if the head has to be parsed.

        A repeated header has to be: the parser refuses a second Content-Length or Host, and joins
        the values of others.
        """
        count = len(headers)
        if len(by_name) != count or count > self._most_headers or not _PARSED.isdisjoint(by_name):
            return None
        length = by_name.get(b"content-length", b"0")
        if not length.isdigit() or len(length) > _MOST_DIGITS:
            return None
        get = by_name.get
        return first, get(b"host"), get(b"connection"), b"content-length" in by_name

    def _comes_again(self, line: bytes) -> bool:
        """Whether a line was seen recently; for a new one, only its hash is stored."""
        mark = hash(line)
        if mark in self._seen:
            return True
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen.add(mark)
        return False


class RequestDispatcher:
    """Creates and starts the request cycles of one connection.

    Args:
        sink: The connection.
        application: The ASGI application.
        app_state: The ASGI state that the application shares with its requests.
        tasks: The server's set of running requests.
        bodies: Counts the body bytes that the process holds; None for no limit.
    """

    def __init__(
        self,
        sink: ConnectionPort,
        *,
        application: Application,
        app_state: dict[str, Any],
        tasks: set[asyncio.Task[None]],
        bodies: BodyMemory | None = None,
    ) -> None:
        self._sink = sink
        self._application = application
        self._loop = asyncio.get_running_loop()
        self._tasks = tasks
        self._of_all: Scope = {"state": app_state}
        self._bodies = bodies

    def meet(self, transport: asyncio.Transport) -> None:
        """Store what every scope of this connection contains: its addresses and scheme."""
        self._of_all["server"] = get_local_addr(transport)
        self._of_all["client"] = get_remote_addr(transport)
        self._of_all["scheme"] = "https" if is_ssl(transport) else "http"

    def make(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> RequestCycle:
        """Return the cycle of a request with a parsed head; `scope` may be shared: it is copied."""
        return RequestCycle(
            scope | self._of_all,
            self._sink,
            keep_alive=keep_alive,
            expects_continue=expects_continue,
            bodies=self._bodies,
        )

    def make_known(self, begun: Begun, *, stopping: bool) -> RequestCycle:
        """Return the cycle of a request that arrived whole and whose head was cached."""
        scope, keep_alive, body = begun
        scope.update(self._of_all)
        scope[BODY] = body
        exchange = RequestCycle(scope, self._sink, keep_alive=keep_alive and not stopping)
        exchange.feed_whole(body)
        return exchange

    def begin(self, exchange: RequestCycle) -> None:
        """Start the application for a request, unless it has started."""
        if exchange.task is None:
            task = self._loop.create_task(exchange.run(self._application))
            exchange.task = task
            self._tasks.add(task)  # the server waits for these at shutdown
            task.add_done_callback(self._tasks.discard)
