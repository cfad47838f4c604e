"""Write log lines without ever waiting for the reader of the log.

    direct ──the stream takes no more──► queued, a thread writes ──queue empty──► direct

A line is written by the thread that logs it, an event loop included. If the other end takes no more
(a pipe that nobody reads, a stopped terminal), lines wait in memory and a thread writes them, until
none is left. Beyond a bound lines are dropped and counted. A line that cannot be written at all, as
on a full disk, is lost, without further effects.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TextIO

from runtime.telemetry.background import lasting_thread

_MOST_LINES = 10_000
_MOST_BYTES = 4 * 1024 * 1024
_LOOK_S = 0.01
_FINISH_S = 1.0
_PIPE_BUF = 512  # bytes that a writable pipe takes at least (POSIX)
Put = Callable[[bytes], int]


class LogWriter:
    """A stream for whole lines. Safe to use from many threads.

    Args:
        stream: Where the lines go. The flags of its descriptor, shared with other processes, stay.
        on_dropped: Called with the number of dropped lines, once the queued ones are written, in
            the thread that wrote them.
        most_lines: Most lines that may wait.
        most_bytes: Most bytes that may wait.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        on_dropped: Callable[[int], object],
        most_lines: int = _MOST_LINES,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._way = _way_to(stream)
        self._on_dropped = on_dropped
        self._most_lines = most_lines
        self._most_bytes = most_bytes
        self._lock = threading.Lock()  # guards all fields below
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> int:
        """Write lines now, or queue them; return the length of the text."""
        data = text.encode("utf-8", "backslashreplace")
        with self._lock:
            if not self._waiting:
                data = self._send(data)
            elif (
                len(self._waiting) >= self._most_lines
                or self._waiting_bytes + len(data) > self._most_bytes
            ):
                self._dropped += 1
                data = b""
            if data:
                self._waiting.append(data)
                self._waiting_bytes += len(data)
            if self._waiting and self._thread is None:
                thread = lasting_thread(self._write_on, name="log")
                with contextlib.suppress(RuntimeError):  # no more threads: try at the next line
                    thread.start()
                    self._thread = thread
        return len(text)

    def flush(self) -> None:
        """Do nothing: lines are written or queued at once."""

    def finish(self, timeout_s: float = _FINISH_S) -> None:
        """Wait until the queued lines are written; stop if none is taken for `timeout_s`."""
        # Without the lock: whoever writes holds it, and a figure that is a little old does no harm.
        while (thread := self._thread) is not None:
            before = self._waiting_bytes
            thread.join(timeout_s)
            if self._waiting_bytes >= before:
                return

    def close(self) -> None:
        """Close the descriptor. No line may be queued or come after that."""
        self._way.close()

    def _send(self, data: bytes) -> bytes:
        """Write as much as possible without waiting; return the rest."""
        try:
            while data:
                data = data[self._way.put(data) :]
        except BlockingIOError:
            return data
        except (OSError, ValueError):  # no reader, full disk, or closed stream: drop it
            return b""
        return data

    def _write_on(self) -> None:
        """Write the queued lines until none is left. Runs in a thread of its own."""
        poll = select.poll()
        poll.register(self._way.descriptor, select.POLLOUT)
        dropped = 0
        while True:
            poll.poll()
            with self._lock:
                first = self._waiting.popleft()
                left = self._send(first)
                self._waiting_bytes -= len(first) - len(left)
                if left:
                    self._waiting.appendleft(left)
                elif not self._waiting:
                    self._thread = None
                    dropped, self._dropped = self._dropped, 0
                    break
            if left:
                time.sleep(_LOOK_S)  # some descriptors poll as writable and take nothing
        if dropped:
            self._on_dropped(dropped)


class _Way(NamedTuple):
    """How to write without waiting, and the descriptor to poll; `put` raises BlockingIOError."""

    put: Put
    descriptor: int
    close: Callable[[], object]


def _way_to(stream: TextIO) -> _Way:
    try:
        own = os.dup(stream.fileno())
    except (OSError, ValueError):  # a stream in memory
        return _Way(partial(_put_into, stream), -1, lambda: None)
    mode = os.fstat(own).st_mode
    if stat.S_ISREG(mode):
        return _Way(partial(os.write, own), own, partial(os.close, own))
    if stat.S_ISSOCK(mode):
        connected = socket.socket(fileno=own)
        return _Way(partial(_send_to, connected), own, connected.close)
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        again = os.open(f"/proc/self/fd/{own}", flags)
    except OSError:  # no /proc, or another user's pipe
        return _Way(partial(_put_a_little, own), own, partial(os.close, own))
    os.close(own)
    return _Way(partial(os.write, again), again, partial(os.close, again))


def _put_into(stream: TextIO, data: bytes) -> int:
    stream.write(data.decode())
    stream.flush()
    return len(data)


def _send_to(connected: socket.socket, data: bytes) -> int:
    return connected.send(data, socket.MSG_DONTWAIT)


def _put_a_little(descriptor: int, data: bytes) -> int:
    """Write what a writable pipe takes; blocks only if another process fills it just then."""
    if not select.select([], [descriptor], [], 0)[1]:
        raise BlockingIOError
    return os.write(descriptor, data[:_PIPE_BUF])
