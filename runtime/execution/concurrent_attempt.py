"""One concurrent attempt inside the runner process, and what belongs to it.

    waiting ──begin()──► running ──► is_over ──► is_answered
       └──── begin(), called to end it unstarted ─────┘

It owns (`runtime.execution.output_attribution`) its asyncio task, the tasks, asynchronous
generators and threads that these start, and the output of all of them. The event loop's thread
writes its fields; for a `def` the thread that runs it does. Exceptions are noted at the field.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from runtime.execution.outcome import CANCELLED, Ending, timed_out
from runtime.execution.output_attribution import ThreadOwner
from runtime.execution.runner_output import OutputSink, Send
from runtime.execution.runner_protocol import Start
from runtime.execution.thread_interrupt import Cause, InterruptGuard
from runtime.registry.event_loop import Generator, Tasks
from runtime.registry.loaded_function import LoadedFunction

_LONGEST_LINE = 8_192  # characters; a longer line is sent before it ends
_MANY = 64  # with more entries than this, a list is cleared of those that are gone


class LineSink(OutputSink):
    """Sends the text output of one attempt line by line; used by any thread.

    Args:
        max_bytes: How much is sent.
        send: Receives the output.
        on_held: Called when the beginning of a line is held back.
    """

    def __init__(self, max_bytes: int, send: Send, on_held: Callable[[LineSink], None]) -> None:
        super().__init__(max_bytes)
        # Reentrant: any line here may trigger a garbage collection and a finalizer that prints.
        self._lock = threading.RLock()
        self._on_held = on_held
        self._line = ""
        self.open(send)

    def write_text(self, text: str) -> None:
        """Send the lines that are complete now, and hold back the rest."""
        with self._lock:
            whole, end, rest = (self._line + text).rpartition("\n")
            self._line = "" if self._send is None else rest
            if end:
                self.write((whole + end).encode("utf-8", "backslashreplace"))
            if len(self._line) > _LONGEST_LINE:
                self.flush()
            elif self._line:
                self._on_held(self)

    def write(self, data: bytes) -> None:
        """Send bytes at once; text held back is not sent before them."""
        with self._lock:
            super().write(data)

    def flush(self) -> None:
        """Send the text that is held back."""
        with self._lock:
            line, self._line = self._line, ""
            if line:
                self.write(line.encode("utf-8", "backslashreplace"))


class ConcurrentAttempt(ThreadOwner):
    """The state of one attempt.

    Attributes:
        serial, number: Its serial, as a number for the shared page and as bytes for frames.
        arguments, request: Set until it starts.
        sink: Receives its output; set before it starts.
        task: The task that runs an `async def`; None before it starts and once it is answered.
        guard: Interrupts the thread that runs a `def`; written by that thread.
        cause: Why the worker asked to end it; written by the loop's thread, read by a `def`.
        is_over: The function has returned; a `cause` set later has no effect.
        is_answered: Its ending was sent; nothing more may be sent for it.
        forced: The ending it gets whatever it returns, as code of it called sys.exit.
        generators: The asynchronous generators it has started.
        work: One entry for each call of it that the event loop's thread pool has not finished. A
            list, as threads of the pool change it and its append and pop are atomic.
    """

    __slots__ = (
        "_right_to_begin",
        "_tasks",
        "_threads",
        "arguments",
        "began_at",
        "cause",
        "forced",
        "function",
        "generators",
        "guard",
        "is_answered",
        "is_over",
        "number",
        "request",
        "serial",
        "sink",
        "start",
        "task",
        "work",
    )

    sink: LineSink

    def __init__(
        self, start: Start, arguments: bytes, request: bytes | None, function: LoadedFunction
    ) -> None:
        self.start = start
        self.serial = start.serial
        self.number = b"%d" % start.serial
        self.arguments = arguments
        self.request = request
        self.function = function
        self.task: asyncio.Task[None] | None = None
        self.guard: InterruptGuard | None = None
        self.cause: Cause | None = None
        self.is_over = self.is_answered = False
        self.forced: Ending | None = None
        self.generators: list[weakref.ref[Generator]] = []
        self.work: list[None] = []
        self.began_at = time.perf_counter()
        self._right_to_begin: list[None] = [None]
        self._tasks: weakref.WeakSet[asyncio.Task[Any]] | None = None
        self._threads: list[threading.Thread] = []

    def begin(self) -> bool:
        """Claim the right to start the attempt, or to end it unstarted: True for one caller."""
        try:
            self._right_to_begin.pop()  # atomic: the loop thread and a `def` thread may race
        except IndexError:
            return False
        return True

    def take_arguments(self) -> bytes:
        """Return the arguments and free them: many attempts may wait for long."""
        arguments, self.arguments = self.arguments, b""
        return arguments

    def take_request(self) -> bytes | None:
        """Return the request and free it."""
        request, self.request = self.request, None
        return request

    def note_task(self, task: asyncio.Task[Any]) -> None:
        """Note that it has started a task."""
        if self._tasks is None:
            self._tasks = weakref.WeakSet()
        self._tasks.add(task)

    def note_generator(self, generator: Generator) -> None:
        """Note that it has started an asynchronous generator."""
        if len(self.generators) > _MANY:
            self.generators[:] = [one for one in self.generators if one() is not None]
        self.generators.append(weakref.ref(generator))

    def note_thread(self, thread: threading.Thread) -> None:
        """Note that it has started a thread."""
        if len(self._threads) > _MANY:
            self._threads = [one for one in self._threads if one.is_alive()]
        self._threads.append(thread)

    def live_tasks(self) -> Tasks:
        """Return the unfinished tasks it has started, without the task that runs it."""
        return {task for task in self._tasks or () if not task.done()}

    @property
    def has_left_nothing_in_loop(self) -> bool:
        """Whether it has no task and no asynchronous generator that may have to be ended."""
        return not self.generators and not self.live_tasks()

    @property
    def has_live_threads(self) -> bool:
        """Whether a thread that it started, or one of the event loop's pool, works for it."""
        if self._threads:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
        return bool(self._threads or self.work)

    def ending(self, reported: Ending) -> Ending:
        """Return its final ending, given the one that the function call reported."""
        if self.forced is not None:
            return self.forced
        if self.cause == "timeout":
            return timed_out(self.start.timeout_s, reported.traceback)
        return CANCELLED if self.cause == "cancelled" else reported
