"""Which of several attempts in flight wrote some output: by context, else by elimination.

Tasks, callbacks and threads carry their attempt in their context. Anything else (a thread of a
pool, a C library, a subprocess) belongs to the attempt that the event loop is executing, if the
loop's thread writes, or to the only attempt in flight. The rest is sent with serial 0 and goes into
no log: no attempt sees the output of another.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping

from runtime.execution.concurrent_attempt import ConcurrentAttempt
from runtime.execution.event_batcher import EventBatcher
from runtime.execution.loop_attribution import LoopAttribution
from runtime.execution.output_attribution import owner_here
from runtime.execution.runner_output import AttemptOutput
from runtime.execution.runner_protocol import LOG

_STDERR = 2
_NOBODYS = b"0"


class ConcurrentOutput:
    """The `Router` of one runner; used by any thread.

    Args:
        output: The streams of the runner and the pipe of its descriptors.
        attempts: The attempts in flight, by serial; changed by any thread that answers one.
        notes: Knows which attempt the event loop executes.
        writer: Sends output that belongs to no attempt.
    """

    def __init__(
        self,
        output: AttemptOutput,
        attempts: Mapping[int, ConcurrentAttempt],
        notes: LoopAttribution,
        writer: EventBatcher,
    ) -> None:
        self._output = output
        self._attempts = attempts
        self._notes = notes
        self._writer = writer
        self._thread_id = threading.get_ident()

    def open(self) -> None:
        """Receive output from now on, with a new allowance for what belongs to no attempt."""
        self._output.share(self, self._write_unmarked)

    def close(self) -> None:
        """Return to one attempt at a time."""
        self._output.unshare()

    def settle(self) -> None:
        """Send what the descriptors hold while one attempt is in flight, so it can be assigned."""
        if len(self._attempts) == 1:
            self._output.drain()

    def write(self, data: str | bytes) -> None:
        """Assign and send what Python code writes in any thread."""
        if self._notes.is_fork:  # in a fork of the runner: to the pipe, as `print` does
            with contextlib.suppress(OSError):
                os.write(_STDERR, data.encode() if isinstance(data, str) else data)
            return
        found = owner_here()
        if type(found) is not ConcurrentAttempt:
            if found is not None and not self._output.is_of_loading(found):
                return  # a leak of a sequential attempt that has finished
            found = self._unmarked()
        if found is None:
            self._send_as_nobodys(data.encode() if isinstance(data, str) else data)
        elif isinstance(data, str):
            found.sink.write_text(data)
        else:
            found.sink.flush()
            found.sink.write(data)

    def _unmarked(self) -> ConcurrentAttempt | None:
        """Return the attempt of output without an owner; None if it cannot be determined."""
        if threading.get_ident() == self._thread_id and (executing := self._notes.executing):
            return executing
        under_way = list(self._attempts.values())
        return under_way[0] if len(under_way) == 1 else None

    def _write_unmarked(self, data: bytes) -> None:
        under_way = list(self._attempts.values())
        if len(under_way) == 1:
            under_way[0].sink.write(data)
        else:
            self._send_as_nobodys(data)

    def _send_as_nobodys(self, data: bytes) -> None:
        self._writer.send(LOG, _NOBODYS, data)
