"""What attempts tell, written once for each turn of the event loop; output is written at once.

A result or a progress can wait until the steps of the turn are done. The last line before a crash
cannot, nor can what threads say, which have no turns. While the worker does not read, frames wait
here and attempts go on; when too many wait, whoever tells more waits as well: nobody is noted as
executing then, since the worker is to blame.
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

_LONG_TURN_S = 0.001  # nothing waits longer for the rest of a turn


class EventBatcher:
    """The only one that writes to the channel while attempts run at the same time.

    Args:
        loop: Whose turns are meant; made in its thread.
        sock: The channel's.
        page: Where it is noted whose code is executed.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, page: RunnersPage
    ) -> None:
        self._loop = loop
        self._socket = sock
        self._page = page
        self._buffer = WriteBuffer(sock)
        self._thread_id = threading.get_ident()
        self._nobodys = Context()  # a callback made in it is no attempt's
        self._held: set[LineSink] = set()
        self._is_turn_open = False
        self._written_at = 0.0  # or when the turn began
        self._is_waiting = False
        self._is_cut = False

    def send_for(self, attempt: ConcurrentAttempt, *parts: bytes, at_once: bool = False) -> None:
        """Send a frame of an attempt, from any thread.

        Args:
            attempt: Whose it is; if this thread may be interrupted for it, that is held off.
            parts: The frame.
            at_once: Not at the end of the turn.
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
        guard.hold_off()
        try:
            self.send(*parts)
        finally:
            guard.let_in(lambda: attempt.cause)

    def send(self, *parts: bytes) -> None:
        """Send a frame now, behind all others; from a thread that nobody interrupts."""
        self._buffer.add(*parts)
        self.write()

    def write(self) -> None:
        """Write what waits, as far as that goes; from any thread that nobody interrupts."""
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
            self._loop.call_soon_threadsafe(self._write_when_possible, context=Context())

    def write_all(self) -> None:
        """Write everything, however long that takes."""
        self._buffer.write_all()

    def hold(self, sink: LineSink) -> None:
        """Pass on at the end of the turn what a sink holds back of a line."""
        if threading.get_ident() == self._thread_id and not self._is_cut:
            self._held.add(sink)
            self._open_turn()

    def cut(self) -> None:
        """Write nothing any more: this process is a fork of the runner."""
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
            # What is called soon is called behind the steps of this turn, before those of the next.
            self._loop.call_soon(self._end_turn, context=self._nobodys)

    def _end_turn(self) -> None:
        self._is_turn_open = False
        if self._held:
            held, self._held = self._held, set()
            for sink in held:
                sink.flush()
        self.write()

    def _wait_for_room(self) -> None:
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
