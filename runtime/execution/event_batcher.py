"""Writes what concurrent attempts send, once in each turn of the event loop; output at once.

An answer or progress waits until the steps of the turn are done. Output does not, as the last line
before a crash must arrive, nor do frames of other threads. While the worker does not read, frames
are buffered and attempts go on. When 8 MiB are buffered, a sender blocks; its attempt is then not
marked as executing, as the worker causes the delay.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from contextvars import Context

from runtime.errors import ChannelClosedError
from runtime.execution.concurrent_attempt import ConcurrentAttempt, LineSink
from runtime.processes.shared_page import EXECUTING, RunnersPage
from runtime.processes.write_buffer import WriteBuffer

_LONG_TURN_S = 0.001  # longest wait of a frame for the end of a turn


class EventBatcher:
    """The only writer to the channel while attempts run at the same time.

    `send_for`, `send` and `write` may be called by any thread; only the event loop's thread writes
    the fields. If the worker is gone, the process kills itself, as `RunnerMain` does.

    Args:
        loop: The event loop; this must be created in its thread.
        sock: The socket of the channel.
        page: The shared page that says which attempts are executing.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, page: RunnersPage
    ) -> None:
        self._loop = loop
        self._socket = sock
        self._page = page
        self._buffer = WriteBuffer(sock)
        self._thread_id = threading.get_ident()
        self._nobodys = Context()  # callbacks created in it belong to no attempt
        self._held: set[LineSink] = set()
        self._is_turn_open = False
        self._written_at = 0.0  # when the last write was, or this turn began
        self._is_waiting = False  # `_write_on` is registered: the socket takes no more now
        self._is_cut = False

    def send_for(self, attempt: ConcurrentAttempt, *parts: bytes, at_once: bool = False) -> None:
        """Send a frame of an attempt.

        Args:
            attempt: The sender; if it runs in this thread, ThreadInterrupt is held off meanwhile.
            parts: The frame.
            at_once: Do not wait for the end of the turn.
        """
        if self._is_cut:
            return
        if threading.get_ident() == self._thread_id:
            if at_once:
                self.send(*parts)
            else:
                self._send_later(*parts)
            return
        guard = attempt.guard
        if guard is None or not guard.is_of_this_thread:
            self.send(*parts)
            return
        # An exception in the middle of a write would leave it unknown how much was written.
        guard.hold_off()
        try:
            self.send(*parts)
        finally:
            guard.let_in(lambda: attempt.cause)

    def send(self, *parts: bytes) -> None:
        """Send a frame after all others, now; not from a thread that may be interrupted."""
        self._buffer.add(*parts)
        self.write()

    def write(self) -> None:
        """Write what the socket takes now; not from a thread that may be interrupted."""
        if self._is_cut:
            return
        try:
            if self._buffer.write():
                return
            if self._buffer.is_full:
                self._wait_for_room()
        except ChannelClosedError:
            os.kill(os.getpid(), signal.SIGKILL)
        if threading.get_ident() == self._thread_id:
            self._write_when_possible()
        else:
            # Only the loop's thread may register a writer.
            self._loop.call_soon_threadsafe(self._write_when_possible, context=Context())

    def write_all(self) -> None:
        """Write everything, however long that takes."""
        self._buffer.write_all()

    def hold(self, sink: LineSink) -> None:
        """Flush a sink that holds back part of a line, at the end of the turn."""
        if threading.get_ident() == self._thread_id and not self._is_cut:
            self._held.add(sink)
            self._open_turn()

    def cut(self) -> None:
        """Write nothing more: this process is a fork of the runner."""
        self._is_cut = True

    def _send_later(self, *parts: bytes) -> None:
        self._buffer.add(*parts)
        self._open_turn()
        now = time.monotonic()
        if now - self._written_at > _LONG_TURN_S or self._buffer.is_full:
            self._written_at = now
            self.write()

    def _open_turn(self) -> None:
        if not self._is_turn_open:
            self._is_turn_open = True
            self._written_at = time.monotonic()
            # `call_soon` runs after the steps of this turn and before those of the next.
            self._loop.call_soon(self._end_turn, context=self._nobodys)

    def _end_turn(self) -> None:
        self._is_turn_open = False
        if self._held:
            held, self._held = self._held, set()
            for sink in held:
                sink.flush()
        self.write()

    def _wait_for_room(self) -> None:
        # If the process is killed while it waits here, this attempt must not count as the cause.
        is_main = threading.get_ident() == self._thread_id
        executing = self._page.cells[EXECUTING] if is_main else 0
        if executing:
            self._page.leave()
        self._buffer.wait_for_room()
        if executing:
            self._page.cells[EXECUTING] = executing

    def _write_when_possible(self) -> None:
        if not self._is_waiting and not self._buffer.is_empty:
            self._is_waiting = True
            Context().run(self._loop.add_writer, self._socket.fileno(), self._write_on)

    def _write_on(self) -> None:
        try:
            if not self._buffer.write():
                return
        except ChannelClosedError:
            os.kill(os.getpid(), signal.SIGKILL)
        self._is_waiting = False
        self._loop.remove_writer(self._socket.fileno())
