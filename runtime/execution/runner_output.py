"""What a function prints and logs in a runner process, sent to the worker as it is written.

`sys.stdout` and `sys.stderr` write to the sink line by line. Descriptors 1 and 2 (C libraries,
subprocesses) are a pipe that the thread "output" reads. Nothing is held back, so that the last
line before a crash arrives. At most `max_bytes` are sent for each attempt, and none once it has
finished. While attempts run at the same time, a `Router` assigns output to them
(`runtime.execution.concurrent_output`). In the worker, `runtime.worker.event_buffer` takes it.
"""

from __future__ import annotations

import fcntl
import io
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, cast

from runtime.execution.context_log import OwnHandler
from runtime.execution.output_attribution import note_owners, owner, owner_here
from runtime.processes.child_limits import move_up
from runtime.telemetry.background import lasting_thread

if TYPE_CHECKING:
    from typing_extensions import Buffer

Send = Callable[[bytes], None]
_PIPE_BYTES = 65_536
_HIGH_DESCRIPTOR = 400  # code that closes "the first few" descriptors does not reach it
_STACK_BYTES = 262_144
_LOADED_AND_FIRST = 2  # calls of `begin`: for the load, and for the first attempt


def truncation_mark(max_bytes: int) -> bytes:
    """Return the text that marks truncated output."""
    return b"\n[output truncated: at most %d bytes are kept]\n" % max_bytes


class OutputSink:
    """Sends at most `max_bytes` of the running attempt's output; used by any thread."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock: AbstractContextManager[bool] = threading.Lock()
        self._send: Send | None = None
        self._left = 0

    def open(self, send: Send) -> None:
        """Start an attempt: from now on output goes to `send`."""
        with self._lock:
            self._send = send
            self._left = self._max_bytes

    def close(self) -> None:
        """Finish the attempt: from now on output is dropped."""
        with self._lock:
            self._send = None

    def write(self, data: bytes) -> None:
        """Send output, or as much of it as fits and the truncation mark."""
        with self._lock:
            if self._send is None or self._left < 0 or not data:
                return
            if len(data) > self._left:
                data = data[: self._left] + truncation_mark(self._max_bytes)
                self._left = -1
            else:
                self._left -= len(data)
            self._send(data)


class Router(Protocol):
    """Receives what Python code writes while several attempts run at the same time."""

    def write(self, data: str | bytes) -> None:
        """Pass output on to the attempt that wrote it."""


class _SinkFile(io.RawIOBase):
    """A raw binary file that writes to the sink, or in a fork of the runner to the pipe."""

    def __init__(self, sink: OutputSink, descriptor: int) -> None:
        super().__init__()
        self._sink = sink
        self._descriptor = descriptor
        self._pid = os.getpid()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: Buffer) -> int:
        taken = bytes(data)
        if os.getpid() == self._pid:
            self._sink.write(taken)
            return len(taken)
        return os.write(self._descriptor, taken)


class _BinaryStream(io.BufferedWriter):
    """Buffers output of the one running attempt; passes anything else to the `Router`."""

    def __init__(self, raw: io.RawIOBase, output: AttemptOutput) -> None:
        super().__init__(raw)
        self._output = output

    def write(self, data: Buffer, /) -> int:
        if self._output.is_captured():
            return super().write(data)
        self._output.pass_on(bytes(data))
        return memoryview(data).nbytes


class _TextStream(io.TextIOWrapper):
    """The same for text. Asks for each write, as a buffer may be flushed by another thread."""

    def __init__(self, raw: io.RawIOBase, output: AttemptOutput) -> None:
        binary = _BinaryStream(raw, output)
        super().__init__(binary, encoding="utf-8", errors="backslashreplace", line_buffering=True)
        self._output = output

    def write(self, text: str, /) -> int:
        if self._output.is_captured():
            return super().write(text)
        self._output.pass_on(text)
        return len(text)


class _Handler(OwnHandler):
    """Writes log records to the current sys.stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - like logging: a log line must not fail the call
            self.handleError(record)


class AttemptOutput:
    """The output of a runner process. The main thread writes all fields but `_is_draining`."""

    def __init__(self, max_bytes: int) -> None:
        self._sink = OutputSink(max_bytes)
        self._draining = threading.Lock()  # held from reading the pipe until the sink has it
        self._read_end = self._write_end = -1
        self._written = select.poll()
        self._streams: list[io.TextIOWrapper] = []
        self._main = threading.get_ident()
        self._loading = self._attempt = object()  # the owner objects of load and attempt
        self._begun = 0
        self._router: Router | None = None
        self.thread_ids: frozenset[int] = frozenset()
        self._is_draining = True  # written by the thread "output"

    def install(self) -> None:
        """Redirect sys.stdout, sys.stderr, descriptors 1 and 2, and the root logger."""
        read_end, write_end = os.pipe()
        self._read_end = move_up(read_end, _HIGH_DESCRIPTOR)
        self._write_end = move_up(write_end, _HIGH_DESCRIPTOR)
        os.set_blocking(self._read_end, False)
        self._written.register(self._read_end, select.POLLIN)
        logging.basicConfig(level=logging.INFO, handlers=[_Handler()], force=True)
        default_bytes = threading.stack_size(_STACK_BYTES)
        drain = lasting_thread(self._drain_for_ever, name="output")
        drain.start()
        threading.stack_size(default_bytes)
        self.thread_ids = frozenset((self._main, drain.ident or 0))
        note_owners()
        self.mend()

    def begin(self, send: Send) -> None:
        """Start an attempt; the first call starts the load."""
        if self._begun:
            self._attempt = object()
        self._begun += 1
        owner.set(self._attempt)
        self._sink.open(send)

    def end(self) -> None:
        """Finish the attempt; all that was written before has been sent when this returns."""
        for stream in self._streams:
            try:  # noqa: SIM105 - cheaper than suppress, and done for every attempt
                stream.flush()
            except (ValueError, OSError):  # the function has closed it
                pass
        self.drain()
        self._sink.close()

    def drain(self) -> None:
        """Send what was written to the descriptors before this call."""
        with self._draining:  # waits until "output" has sent what it has read
            if self._written.poll(0):
                self._drain()

    def share(self, router: Router, send: Send) -> None:
        """Serve attempts that run at the same time, until `unshare`.

        Args:
            router: Receives what Python code writes.
            send: Receives what was written to the descriptors, at most `max_bytes` of it until
                this is called again.
        """
        self._router = router
        self._sink.open(send)

    def unshare(self) -> None:
        """Serve one attempt at a time again."""
        self.end()
        self._router = None

    def is_of_loading(self, found: object) -> bool:
        """Whether this owner is the load of the file, whose output belongs to no attempt."""
        return found is self._loading

    def mend(self) -> None:
        """Undo what the last attempt closed, replaced or set; called while no answer is due."""
        signal.alarm(0)  # a pending alarm would interrupt the next attempt
        try:
            os.dup2(self._write_end, 1)  # cheaper than checking whether it still is the pipe
            os.dup2(self._write_end, 2)
        except OSError:  # the function has closed the pipe
            pass
        _ensure_standard_input()
        if not self._streams or self._streams[0].closed or self._streams[1].closed:
            files = (cast("io.RawIOBase", _SinkFile(self._sink, number)) for number in (1, 2))
            self._streams = [_TextStream(file, self) for file in files]
        sys.stdout, sys.stderr = self._streams

    def is_draining(self) -> bool:
        """Whether "output" reads the pipe; not after the function has closed the pipe."""
        return self._is_draining

    def write_line(self, text: str) -> None:
        """Write a log line of `ctx.log`, even if the function has closed sys.stderr."""
        try:
            self._streams[1].write(f"{text}\n")
        except (ValueError, OSError):  # the function has closed it
            if self.is_captured():
                self._sink.write(f"{text}\n".encode("utf-8", "backslashreplace"))

    def pass_on(self, data: str | bytes) -> None:
        """Handle output that `is_captured` refused: of another attempt, or of none."""
        if self._router is not None:
            self._router.write(data)

    def is_captured(self) -> bool:
        """Whether this thread's output belongs to the one running attempt."""
        if self._router is not None:
            return False
        found = owner_here()
        if found is self._attempt or found is None:
            return True
        # Owned by the load: the main thread then writes for the running attempt; threads that the
        # load started write for the first attempt, which caused it, and for no later one.
        is_first = self._begun == _LOADED_AND_FIRST
        return found is self._loading and (is_first or threading.get_ident() == self._main)

    def _drain_for_ever(self) -> None:
        poll = select.poll()
        poll.register(self._read_end, select.POLLIN)
        while True:
            for _, events in poll.poll():
                with self._draining:
                    if not events & select.POLLIN or not self._drain():
                        self._is_draining = False
                        return

    def _drain(self) -> bool:
        while True:
            try:
                data = os.read(self._read_end, _PIPE_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self._sink.write(data)


def _ensure_standard_input() -> None:
    try:
        fcntl.fcntl(0, fcntl.F_GETFD)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
