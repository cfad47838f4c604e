"""To which of many attempts belongs what is written in a runner: by context, and by elimination.

Tasks, callbacks and threads carry their attempt. What does not (a thread of a pool, a C library,
a process that was started) belongs to the attempt on the event loop if that thread writes, or to
the only one under way. All else is sent as nobody's: no attempt hears of another's output.
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
    """The `Router` of one runner.

    Args:
        output: The runner's own streams and the pipe of its descriptors.
        attempts: Those under way, by serial.
        notes: Say which one the event loop executes.
        writer: Sends what is nobody's.
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
        """Take what is written from now on; nobody's output has its whole length again."""
        self._output.share(self, self._write_unmarked)

    def close(self) -> None:
        """Leave the output to one attempt at a time."""
        self._output.unshare()

    def settle(self) -> None:
        """Pass on what the descriptors hold while it can be told whose it is."""
        if len(self._attempts) == 1:
            self._output.drain()

    def write(self, data: str | bytes) -> None:
        """Take what Python writes in any thread."""
        if self._notes.is_fork:  # as `print` does in a fork of a runner: to the pipe
            with contextlib.suppress(OSError):
                os.write(_STDERR, data.encode() if isinstance(data, str) else data)
            return
        found = owner_here()
        if type(found) is not ConcurrentAttempt:
            if found is not None and not self._output.is_of_loading(found):
                return  # an attempt has left it that ran alone, and is long over
            found = self._unmarked()
        if found is None:
            self._send_as_nobodys(data.encode() if isinstance(data, str) else data)
        elif isinstance(data, str):
            found.sink.write_text(data)
        else:
            found.sink.flush()
            found.sink.write(data)

    def _unmarked(self) -> ConcurrentAttempt | None:
        """Return to whom belongs what carries no mark; None where that cannot be told."""
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
