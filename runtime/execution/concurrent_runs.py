"""Runs concurrent attempts in the runner process: `async def` in an event loop, `def` in threads.

    serving ──frame of a sequential attempt──► draining ──last answer──► `RunnerMain` reads again

The main thread runs the event loop, and reads frames while attempts run. Everything an attempt
starts carries the attempt in its context. The worker keeps the time limits: it sends `stop`, and
kills this process if an attempt does not end. Fields are written by the main thread; any thread
that answers removes its attempt from `_attempts`.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import signal
from collections.abc import Callable
from functools import partial

from runtime.errors import ChannelClosedError
from runtime.execution import runner_protocol as frames
from runtime.execution.call_function import describe
from runtime.execution.concurrent_attempt import ConcurrentAttempt, LineSink
from runtime.execution.concurrent_calls import ConcurrentCalls, Loaded
from runtime.execution.concurrent_leak_detection import ConcurrentLeakDetector
from runtime.execution.concurrent_output import ConcurrentOutput
from runtime.execution.event_batcher import EventBatcher
from runtime.execution.loop_attribution import LoopAttribution
from runtime.execution.outcome import CANCELLED, Ending
from runtime.execution.output_attribution import owner
from runtime.execution.runner_codec import decode_start, encode_ending
from runtime.execution.runner_protocol import Start
from runtime.execution.stall_watch import StallWatch
from runtime.execution.thread_calls import FunctionThreads, LoopThreads
from runtime.processes.channel import Channel
from runtime.processes.child_limits import use_memory_reserve
from runtime.processes.shared_page import RunnersPage
from runtime.registry import event_loop
from runtime.registry.event_loop import Generator


class ConcurrentRuns:
    """Serves a runner's channel while its frames are of concurrent attempts.

    Args:
        channel: The runner's channel.
        page: The shared page that says which attempts are executing.
        loaded: The functions and the limits.
        on_shortage: Called when memory is used up; does not return.
    """

    def __init__(
        self, channel: Channel, page: RunnersPage, loaded: Loaded, on_shortage: Callable[[], None]
    ) -> None:
        self._channel = channel
        self._loaded = loaded
        self._on_shortage = on_shortage
        self._attempts: dict[int, ConcurrentAttempt] = {}
        self._unread: list[list[bytes]] = []  # frames from the first sequential one on
        self._is_serving = True
        self._loop = loop = _selector_loop()
        self._writer = EventBatcher(loop, channel.sock, page)
        self._notes = LoopAttribution(loop, page, self._exit)
        self._output = ConcurrentOutput(loaded.output, self._attempts, self._notes, self._writer)
        self._watch = StallWatch(
            page,
            loaded.limits.loop_stall_s,
            loaded.files,
            is_busy=lambda: bool(self._attempts),
            warn=self._warn,
            on_long_step=self._writer.write,
        )
        self._calls = ConcurrentCalls(
            loaded,
            self._attempts,
            loop=loop,
            writer=self._writer,
            output=self._output,
            leftovers=ConcurrentLeakDetector(loaded.leftovers, self._attempts, self._helpers),
            on_empty=self._rest,
            on_shortage=on_shortage,
        )
        self._threads = FunctionThreads(page, self._calls.run_in_thread)
        loop.set_default_executor(LoopThreads(page))

    def serve(self, frame: list[bytes]) -> None:
        """Run attempts, starting with this one, until a frame of a sequential attempt arrives."""
        self._watch.start()
        with self._notes.installed():
            self._loop.add_reader(self._channel.fileno(), self._read)
            self._watch_generators_soon()
            self._take([frame, *self._channel.take_ready()])
            frame.clear()  # frees the arguments while the attempts run
            self._run_loop()
            while not self._unread or self._attempts:  # a function may stop the loop
                self._watch_generators_soon()
                self._run_loop()
            self._is_serving = False
            self._loop.remove_reader(self._channel.fileno())
        self._threads.stop()
        self._watch.stop()
        self._writer.write_all()
        self._output.close()
        # Frames of sequential attempts go back into the channel, where `RunnerMain` reads them.
        self._channel.unread(self._unread)

    def _run_loop(self) -> None:
        with contextlib.suppress(SystemExit, KeyboardInterrupt):  # outside of any attempt
            self._loop.run_forever()

    def send_last(self, *parts: bytes) -> None:
        """Send a frame after all others; return when it is sent."""
        self._writer.send(*parts)
        self._writer.write_all()

    def cut(self) -> None:
        """Send nothing more: this process is a fork of the runner."""
        self._notes.is_fork = True
        self._writer.cut()

    def _read(self) -> None:
        """Read and handle frames; called by the event loop."""
        try:
            self._take(self._channel.receive_arrived())
        except MemoryError:
            self._on_shortage()
        except ChannelClosedError:
            # The worker is gone. A death by signal says that the attempts may have done anything.
            os.kill(os.getpid(), signal.SIGKILL)

    def _take(self, received: list[list[bytes]]) -> None:
        for frame in received:
            if frame[0] == frames.STOP:
                self._stop(int(frame[1]), frame[2])
                continue
            start = decode_start(frame[1])
            # After the first sequential frame all others wait too, so their order is kept.
            if self._unread or start.per_process == 1:
                self._unread.append(frame)
                continue
            try:
                self._begin(start, frame[2], frame[3])
            except MemoryError as error:
                use_memory_reserve()
                self._give_up(start, describe(error))
        if self._unread:
            self._rest()

    def _give_up(self, start: Start, ending: Ending) -> None:
        """Answer for an attempt that could not start, unless it did after all."""
        attempt = self._attempts.get(start.serial)
        if attempt is None:
            answer = encode_ending(ending), b"", b"0"
            self._writer.send(frames.DONE, b"%d" % start.serial, *answer)
        elif attempt.begin():
            self._calls.answer(attempt, ending)

    def _begin(self, start: Start, arguments: bytes, request: bytes) -> None:
        function = self._loaded.functions.get(start.function)
        if function is None:
            text = f"this version does not publish {start.function}"
            self._give_up(start, Ending(kind="exception", message=text))
            return
        attempt = ConcurrentAttempt(
            start, arguments, request if start.has_request else None, function
        )
        send_log = partial(self._writer.send_for, attempt, frames.LOG, attempt.number, at_once=True)
        attempt.sink = LineSink(self._loaded.limits.max_log_bytes, send_log, self._writer.hold)
        if self._attempts:
            # What the descriptors hold was written before this attempt starts.
            self._output.settle()
        else:
            self._output.open()
        self._attempts[start.serial] = attempt
        self._watch.wake()
        if function.is_async:
            self._calls.begin_task(attempt)
        else:
            try:
                self._threads.begin(attempt, under_way=len(self._attempts))
            except RuntimeError as error:  # no thread could be started, and there is none
                self._give_up(start, describe(error))

    def _stop(self, serial: int, why: bytes) -> None:
        """End an attempt in flight; the first `stop` for it decides the reason."""
        attempt = self._attempts.get(serial)
        if attempt is None or attempt.is_over:
            return
        if attempt.cause is None:
            attempt.cause = "timeout" if why == frames.TIMEOUT else "cancelled"
        if attempt.begin():  # it waits for a thread, or for its first step
            self._calls.answer(attempt, CANCELLED)
        elif attempt.task is not None:
            attempt.task.cancel()
        elif attempt.guard is not None:
            attempt.guard.interrupt(attempt.cause)
        # Otherwise its thread is about to set `guard` and will read `cause` after that.

    def _exit(self, attempt: ConcurrentAttempt, error: BaseException) -> None:
        """End an attempt of which some task or callback has called sys.exit."""
        if not attempt.is_over:
            attempt.forced = describe(error)
            if attempt.task is not None:
                attempt.task.cancel()

    def _rest(self) -> None:
        """If no attempt is in flight: restore the output, and leave if a sequential one waits."""
        if self._attempts:
            return
        self._loaded.output.mend()
        if self._unread:
            # This may be any thread, but only the loop's own may stop the loop. The empty context
            # keeps the step from being assigned to an attempt.
            self._loop.call_soon_threadsafe(self._leave, context=contextvars.Context())

    def _leave(self) -> None:
        if self._is_serving:  # two threads that answer at the same time may both schedule this
            self._loop.stop()

    def _warn(self, serial: int, text: str) -> None:
        attempt = self._attempts.get(serial)
        if attempt is not None:
            attempt.sink.write_text(text)

    def _helpers(self) -> frozenset[int]:
        return self._threads.idents | {self._watch.ident}

    def _watch_generators_soon(self) -> None:
        """Set the hooks once the loop runs: the loop sets its own when it starts."""
        self._loop.call_soon(self._watch_generators, context=contextvars.Context())

    def _watch_generators(self) -> None:
        """Note for each asynchronous generator which attempt has started it."""

        def note(generator: Generator) -> None:
            found = owner.get()
            if type(found) is ConcurrentAttempt:
                found.note_generator(generator)

        event_loop.watch_generators(note)


def _selector_loop() -> asyncio.AbstractEventLoop:
    """Return this thread's event loop, so that clients bound to it serve all functions.

    If the file has installed loops of another kind, which run no `asyncio.Handle`: a new one.
    """
    loop = event_loop.loop_here()
    return loop if isinstance(loop, asyncio.SelectorEventLoop) else asyncio.SelectorEventLoop()
