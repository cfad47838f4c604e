"""One attempt of a runner that runs several at the same time, and what belongs to it.

It is the owner (`runtime.execution.output_attribution`) of its task, of the tasks, asynchronous
generators and threads that these begin, and of what all of them print. Changed by the event
loop's thread, or for a `def` by the thread that runs it.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from runtime.execution.outcome import Ending
from runtime.execution.output_attribution import ThreadOwner
from runtime.execution.runner_output import OutputSink, Send
from runtime.execution.runner_protocol import Start
from runtime.execution.thread_interrupt import Cause, InterruptGuard
from runtime.registry.event_loop import Generator, Tasks
from runtime.registry.loaded_function import LoadedFunction

_LONGEST_LINE = 8_192  # characters; what is longer is not held until its end
_MANY = 64  # so many are looked through for those that are gone


class LineSink(OutputSink):
    """Takes text of one attempt and passes it on by whole lines.

    Args:
        max_bytes: How much is passed on.
        send: Where it goes.
        on_held: Called when the beginning of a line is held back.
    """

    def __init__(self, max_bytes: int, send: Send, on_held: Callable[[LineSink], None]) -> None:
        super().__init__(max_bytes)
        # Reentrant: collecting garbage may run a finalizer that prints, in any line of ours.
        self._lock = threading.RLock()
        self._on_held = on_held
        self._line = ""
        self.open(send)

    def write_text(self, text: str) -> None:
        """Pass on the lines that are whole now."""
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
        """Pass on bytes, behind all text."""
        with self._lock:
            super().write(data)

    def flush(self) -> None:
        """Pass on what is held back."""
        with self._lock:
            line, self._line = self._line, ""
            if line:
                self.write(line.encode("utf-8", "backslashreplace"))


class ConcurrentAttempt(ThreadOwner):
    """What is known of it.

    Attributes:
        serial, number: Its number in the shared page, and in frames.
        arguments, request: Until it begins.
        sink: Takes its output; set by whoever runs it.
        task: What runs an `async def`.
        guard: By which the thread of a `def` is interrupted.
        cause: Why it is to end, once the worker has asked for that.
        is_over: The function has returned, and nothing of `cause` matters any more.
        is_answered: It has told how it ended, and must say nothing more.
        forced: How it ends whatever it returns: something of it has called sys.exit.
        generators: The asynchronous generators it has begun.
        work: One for each call that it has handed to the threads of the event loop, until that is
            done; a list, as threads change it.
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
        """Begin it, or end what has not begun: whoever asks first may, in whatever thread."""
        try:
            self._right_to_begin.pop()
        except IndexError:
            return False
        return True

    def take_arguments(self) -> bytes:
        """Return the arguments, and forget them: many attempts may wait here for long."""
        arguments, self.arguments = self.arguments, b""
        return arguments

    def take_request(self) -> bytes | None:
        """Return the request, and forget it."""
        request, self.request = self.request, None
        return request

    def note_task(self, task: asyncio.Task[Any]) -> None:
        """It begins a task."""
        if self._tasks is None:
            self._tasks = weakref.WeakSet()
        self._tasks.add(task)

    def note_generator(self, generator: Generator) -> None:
        """It begins an asynchronous generator."""
        if len(self.generators) > _MANY:
            self.generators[:] = [one for one in self.generators if one() is not None]
        self.generators.append(weakref.ref(generator))

    def note_thread(self, thread: threading.Thread) -> None:
        """It starts a thread."""
        if len(self._threads) > _MANY:
            self._threads = [one for one in self._threads if one.is_alive()]
        self._threads.append(thread)

    def live_tasks(self) -> Tasks:
        """Return those of its tasks that are not done, without the one it is run by."""
        return {task for task in self._tasks or () if not task.done()}

    @property
    def has_left_nothing_in_loop(self) -> bool:
        """Whether it has no task and no asynchronous generator that may have to be ended."""
        return not self.generators and not self.live_tasks()

    @property
    def has_live_threads(self) -> bool:
        """Whether threads that it has started run, or those of the event loop work for it."""
        if self._threads:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
        return bool(self._threads or self.work)

    def ending(self, reported: Ending) -> Ending:
        """Return how it ends that has told this of itself."""
        if self.forced is not None:
            return self.forced
        if self.cause == "timeout":
            text = f"ran longer than {self.start.timeout_s:g} s"
            return Ending(kind="timeout", message=text, traceback=reported.traceback)
        return Ending(kind="cancelled") if self.cause == "cancelled" else reported
