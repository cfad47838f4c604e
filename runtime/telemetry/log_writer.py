"""Where log lines are written: never waited for, however slowly somebody reads them.

An event loop writes its lines itself, which wakes nobody. Where the other end takes no more (a
pipe that nobody reads, a terminal that is held), lines wait in memory, and a thread that lives so
long writes them; beyond a bound they are left out and counted. A line that cannot be written at
all, as on a full disk, is lost, and nothing else with it.
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
_PIPE_BUF = 512  # so much at least a pipe takes at once when it takes anything (POSIX)
Put = Callable[[bytes], int]


class LogWriter:
    """A stream for whole lines; safe to use from many threads.

    Args:
        stream: Where the lines go. Its descriptor's flags, which other processes share, stay.
        on_dropped: Called, in any thread, with how many lines were left out, once those that
            waited are written.
        most_lines: How many lines may wait.
        most_bytes: How long they may be in all.
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
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> int:
        """Write lines, or have them written as soon as that is possible."""
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
                with contextlib.suppress(RuntimeError):  # there is none to be had: at the next line
                    thread.start()
                    self._thread = thread
        return len(text)

    def flush(self) -> None:
        """Do nothing: what can be written is."""

    def finish(self, timeout_s: float = _FINISH_S) -> None:
        """Wait a moment for what waits."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def close(self) -> None:
        """Give up the descriptor; no line may come any more, nor wait."""
        self._way.close()

    def _send(self, data: bytes) -> bytes:
        """Return what is not taken."""
        try:
            while data:
                data = data[self._way.put(data) :]
        except BlockingIOError:
            return data
        except (OSError, ValueError):  # nobody reads, the disk is full, the stream is closed
            return b""
        return data

    def _write_on(self) -> None:
        """Write until nothing waits (in a thread of its own)."""
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
                time.sleep(_LOOK_S)  # some say that they take more and do not
        if dropped:
            self._on_dropped(dropped)


class _Way(NamedTuple):
    """How to write without waiting, and what to wait at; `put` raises BlockingIOError."""

    put: Put
    descriptor: int
    close: Callable[[], object]


def _way_to(stream: TextIO) -> _Way:
    try:
        own = os.dup(stream.fileno())
    except (OSError, ValueError):  # in memory
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
    except OSError:  # no such folder, or another user's pipe
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
    """Write as much as never blocks, unless another process fills the pipe in this moment."""
    if not select.select([], [descriptor], [], 0)[1]:
        raise BlockingIOError
    return os.write(descriptor, data[:_PIPE_BUF])
