"""Captures what a function prints and logs in a thread of the worker process, by context.

All threads share `sys.stdout`, `sys.stderr` and the root logger. Ours look up the owner of the
current context. A thread that a function has started writes to the call that started it, and to
nothing once that has finished. Threads of pools serve many calls, so their output goes where the
worker's own output goes.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any, TextIO, cast

from runtime.execution.context_log import OwnHandler
from runtime.execution.output_attribution import forget_owners, note_owners, owner, owner_here
from runtime.execution.runner_output import OutputSink


class _Stream:
    """A text stream that writes to the context's sink, or to the original stream without one."""

    def __init__(self, before: TextIO) -> None:
        self.before = before

    def write(self, text: str) -> int:
        sink = _sink_here()
        if sink is None:
            return self.before.write(text)
        sink.write(text.encode("utf-8", "backslashreplace"))
        return len(text)

    def writelines(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of the original
        return getattr(self.before, name)


class _Handler(OwnHandler):
    """Writes a function's log records to its sink; leaves others to the other handlers."""

    def emit(self, record: logging.LogRecord) -> None:
        sink = _sink_here()
        if sink is not None:
            sink.write((self.format(record) + "\n").encode("utf-8", "backslashreplace"))
            return
        last = logging.lastResort  # Python's handler for a root without handlers
        if last is not None and logging.root.handlers == [self] and record.levelno >= last.level:
            last.handle(record)


def _sink_here() -> OutputSink | None:
    return cast("OutputSink | None", owner_here())


class ThreadOutput:
    """Replaces the process's output at the first capture; after `restore` never again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: tuple[_Stream, _Stream] | None = None
        self._is_restored = False
        self._handler = _Handler()

    def capture(self, sink: OutputSink | None) -> None:
        """Send this thread's output to the sink from now on; None: to the original streams."""
        if sink is not None and (
            self._streams is None
            or self._handler not in logging.root.handlers  # a file has reconfigured logging
        ):
            self._install()
        owner.set(sink)

    def write_line(self, text: str) -> None:
        """Write a log line of `ctx.log` to this context's sink."""
        sink = _sink_here()
        if sink is not None:
            sink.write(f"{text}\n".encode("utf-8", "backslashreplace"))

    def restore(self) -> None:
        """Restore the streams and the root logger; twice is safe."""
        with self._lock:
            self._is_restored = True
            if self._streams is None:
                return
            out, err = self._streams
            self._streams = None
            if sys.stdout is cast("TextIO", out):
                sys.stdout = out.before
            if sys.stderr is cast("TextIO", err):
                sys.stderr = err.before
            logging.root.removeHandler(self._handler)
            forget_owners()

    def _install(self) -> None:
        with self._lock:
            if self._is_restored:  # by a thread that still runs while the process exits
                return
            if self._streams is not None:
                logging.root.addHandler(self._handler)  # does nothing if it is there
                return
            out, err = _Stream(sys.stdout), _Stream(sys.stderr)
            root = logging.root
            if root.level > logging.INFO:
                for handler in root.handlers:  # they show no more than before
                    handler.setLevel(max(handler.level, root.level))
                root.setLevel(logging.INFO)
            root.addHandler(self._handler)
            sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
            self._streams = (out, err)
            note_owners()
