"""What a function prints and logs in a runner, sent to the worker as it comes.

Python's stdout and stderr go straight to the sink, line by line; descriptors 1 and 2
(C libraries, subprocesses) through a pipe that a thread empties. Sent at once, so
that the last line before a kill is known. At most `max_bytes` per attempt. What is said on
behalf of an attempt that has ended goes nowhere. While attempts run at the same time, a
`Router` tells them apart (`runtime.execution.concurrent_output`).
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
from typing import Protocol, cast

from typing_extensions import Buffer

from runtime.execution.function_log import LOG_FORMAT, OwnHandler
from runtime.execution.output_attribution import note_owners, owner, owner_here
from runtime.telemetry.background import lasting_thread

Send = Callable[[bytes], None]
_PIPE_BYTES = 65_536
_HIGH_DESCRIPTOR = 400
_STACK_BYTES = 262_144
_LOADED_AND_FIRST = 2


def truncation_mark(max_bytes: int) -> bytes:
    """Return what stands where output was cut off."""
    return b"\n[output truncated: at most %d bytes are kept]\n" % max_bytes


class OutputSink:
    """Takes output of the attempt under way and passes on at most `max_bytes` of it."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock: AbstractContextManager[bool] = threading.Lock()
        self._send: Send | None = None
        self._left = 0

    def open(self, send: Send) -> None:
        """Begin an attempt: what is written from now on goes to `send`."""
        with self._lock:
            self._send = send
            self._left = self._max_bytes

    def close(self) -> None:
        """End the attempt: what is written from now on is dropped."""
        with self._lock:
            self._send = None

    def write(self, data: bytes) -> None:
        """Pass output on, or the beginning of it."""
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
    """Takes what is written where several attempts run at the same time."""

    def write(self, data: str | bytes) -> None:
        """Pass it on to the attempt to which it belongs."""


class _SinkFile(io.RawIOBase):
    """A raw binary file that writes to the sink; in a fork of the runner, to the pipe."""

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
    """Takes what belongs to the one attempt under way; the output decides about all else."""

    def __init__(self, raw: io.RawIOBase, output: AttemptOutput) -> None:
        super().__init__(raw)
        self._output = output

    def write(self, data: Buffer, /) -> int:
        if self._output.is_captured():
            return super().write(data)
        self._output.pass_on(bytes(data))
        return memoryview(data).nbytes


class _TextStream(io.TextIOWrapper):
    """The same for text: asked of who writes, since another thread may flush it."""

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
    """Writes records to whatever sys.stderr is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - as logging does: a log line harms nobody
            self.handleError(record)


class AttemptOutput:
    """The output of one runner child; `install` replaces the process's own."""

    def __init__(self, max_bytes: int) -> None:
        self._sink = OutputSink(max_bytes)
        self._draining = threading.Lock()
        self._read_end = self._write_end = -1
        self._written = select.poll()
        self._streams: list[io.TextIOWrapper] = []
        self._main = threading.get_ident()
        self._loading = self._attempt = object()
        self._begun = 0
        self._router: Router | None = None
        self.thread_ids: frozenset[int] = frozenset()
        self._is_draining = True

    def install(self) -> None:
        """Take over sys.stdout, sys.stderr, descriptors 1 and 2, and the root logger."""
        read_end, write_end = os.pipe()
        self._read_end, self._write_end = _move_up(read_end), _move_up(write_end)
        os.set_blocking(self._read_end, False)
        self._written.register(self._read_end, select.POLLIN)
        handler = _Handler()
        handler.setFormatter(logging.Formatter(LOG_FORMAT))
        logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
        default_bytes = threading.stack_size(_STACK_BYTES)
        drain = lasting_thread(self._drain_for_ever, name="output")
        drain.start()
        threading.stack_size(default_bytes)
        self.thread_ids = frozenset((self._main, drain.ident or 0))
        note_owners()
        self.mend()

    def begin(self, send: Send) -> None:
        """Begin an attempt, or before the first one the loading of its file."""
        if self._begun:
            self._attempt = object()
        self._begun += 1
        owner.set(self._attempt)
        self._sink.open(send)

    def end(self) -> None:
        """End the attempt; everything written until now has been sent."""
        for stream in self._streams:
            try:  # noqa: SIM105 - cheaper than suppress, and done for every attempt
                stream.flush()
            except (ValueError, OSError):  # closed by the function
                pass
        self.drain()
        self._sink.close()

    def drain(self) -> None:
        """Pass on what was written to the descriptors until now."""
        with self._draining:  # else the other thread may have read what it has yet to send
            if self._written.poll(0):
                self._drain()

    def share(self, router: Router, send: Send) -> None:
        """Serve attempts that run at the same time, until `unshare`.

        Args:
            router: Takes what Python writes.
            send: Takes what was written to the descriptors, at most `max_bytes` of it until this
                is called again.
        """
        self._router = router
        self._sink.open(send)

    def unshare(self) -> None:
        """Serve one attempt at a time again."""
        self.end()
        self._router = None

    def is_of_loading(self, found: object) -> bool:
        """Whether an owner is the loading of the file: then what it says is nobody's."""
        return found is self._loading

    def mend(self) -> None:
        """Put right what the last attempt closed, replaced or set; done while nobody waits."""
        signal.alarm(0)  # it would interrupt the next one, or end it
        try:
            os.dup2(self._write_end, 1)  # cheaper than to ask whether it is still ours
            os.dup2(self._write_end, 2)
        except OSError:  # closed by the function
            pass
        _ensure_standard_input()
        if not self._streams or self._streams[0].closed or self._streams[1].closed:
            self._streams = [self._text_stream(number) for number in (1, 2)]
        sys.stdout, sys.stderr = self._streams

    def _text_stream(self, descriptor: int) -> io.TextIOWrapper:
        raw = cast("io.RawIOBase", _SinkFile(self._sink, descriptor))
        return _TextStream(raw, self)

    def is_draining(self) -> bool:
        """Whether the thread runs that empties the pipe; it ends where the function closes that."""
        return self._is_draining

    def write_line(self, text: str) -> None:
        """Write a line as what is logged is written; for a logger that must not fall silent."""
        try:
            self._streams[1].write(f"{text}\n")
        except (ValueError, OSError):  # closed by the function
            if self.is_captured():
                self._sink.write(f"{text}\n".encode("utf-8", "backslashreplace"))

    def pass_on(self, data: str | bytes) -> None:
        """Take what `is_captured` has refused: it belongs to another attempt, or to none."""
        if self._router is not None:
            self._router.write(data)

    def is_captured(self) -> bool:
        """Whether what this thread says belongs to the one attempt under way."""
        if self._router is not None:
            return False
        found = owner_here()
        if found is self._attempt or found is None:
            return True
        # A context taken while the file was loaded is nobody's; a thread of then belongs to the
        # attempt that made it load.
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


def _move_up(descriptor: int) -> int:
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH_DESCRIPTOR)
    os.close(descriptor)
    return moved


def _ensure_standard_input() -> None:
    try:
        fcntl.fcntl(0, fcntl.F_GETFD)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
