"""The main function of a runner process: load one bundle, then run attempts until killed.

    load ──► receive a frame ──► run one attempt, answer it ──┐
                  ▲   └────────► `ConcurrentRuns.serve` ──────┤   (`per_process` > 1)
                  └───────────────────────────────────────────┘

The fork server calls `main` in a new child; user code runs on its main thread. If the channel
closes, because the worker is gone or user code closed it, the process kills itself: a death by
signal tells the worker that nobody knows how far the attempt came.
"""

from __future__ import annotations

import os
import signal
import time
from functools import partial

from runtime.errors import ChannelClosedError
from runtime.execution import runner_protocol as frames
from runtime.execution.call_function import describe, perform
from runtime.execution.concurrent_calls import Loaded
from runtime.execution.concurrent_runs import ConcurrentRuns
from runtime.execution.context_log import FunctionLog
from runtime.execution.leak_detection import LeakDetector
from runtime.execution.notes import NO_CONTEXT, context_of
from runtime.execution.out_of_memory import shortage_text
from runtime.execution.outcome import Ending
from runtime.execution.runner_codec import decode_limits, decode_start, encode_ending
from runtime.execution.runner_output import AttemptOutput
from runtime.execution.runner_protocol import Start
from runtime.execution.soft_limit import SoftLimit
from runtime.processes.channel import Channel
from runtime.processes.child_limits import at_exit_of_c, is_memory_short, use_memory_reserve
from runtime.processes.frames import pack
from runtime.processes.shared_page import RunnersPage
from runtime.processes.side_channel import ChildSideChannel
from runtime.registry.bundle import decode_bundle
from runtime.registry.loaded_function import LoadedFunction
from runtime.registry.loading import load
from runtime.sdk.context import Context

_OUT_OF_MEMORY = Ending(
    kind="out_of_memory",
    message="earlier attempts in this process used up its memory",
    exception_names=("MemoryError",),
)
_RUN_PARTS = 4


def main(channel: Channel) -> None:
    """Run attempts until the channel closes."""
    runner = RunnerMain(channel)
    try:
        runner.serve()
    except ChannelClosedError:
        os.kill(os.getpid(), signal.SIGKILL)
    except MemoryError:  # too little memory is left even to read the next frame
        runner.end_full()


class RunnerMain:
    """The runner's side of one channel.

    All fields are written by the main thread, except that any thread that prints may set
    `_is_quiet` to False. `_report` reads `_serial` in threads of the function.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._ways = ChildSideChannel.take(channel)
        self._burst = 0
        self._is_quiet = False  # frames may use the pipe that does not wake the worker
        self._pid = os.getpid()
        self._serial = 0  # of the running attempt; 0 between attempts
        self._runs: ConcurrentRuns | None = None  # while attempts run at the same time
        os.register_at_fork(after_in_child=self._fall_silent)
        at_exit_of_c(self._send_shortage)

    def serve(self) -> None:
        """Load the bundle, then run attempts for ever."""
        _, limits_bytes, bundle = self._channel.receive()
        limits = decode_limits(limits_bytes)
        output = AttemptOutput(limits.max_log_bytes)
        output.install()
        output.begin(lambda data: self._channel.send(frames.LOG, b"0", data))
        functions, files, ending = _load(bundle)
        loaded = Loaded(
            functions=functions,
            files=files,
            limits=limits,
            output=output,
            leftovers=LeakDetector(output.thread_ids, output.is_draining),
            log=FunctionLog(output.write_line),
        )
        loaded.leftovers.note_loaded()
        output.end()
        self._channel.send(frames.DONE, b"0", encode_ending(ending), b"", b"0")
        is_spent = False
        while True:
            frame = self._channel.receive()
            if len(frame) != _RUN_PARTS:  # `stop` for an attempt that was just answered
                continue
            start = decode_start(frame[1])
            if start.per_process > 1:
                self._run_concurrently(frame, loaded)
                continue
            _, _, arguments, request = frame
            # After an attempt that did harm, nothing more is run: the worker kills this process.
            if is_spent or not self._may_begin(start):
                continue
            is_spent = self._run(start, arguments, request, loaded)
            output.mend()

    def _may_begin(self, start: Start) -> bool:
        """Take the attempt's ticket, if it needs one; False if the worker has withdrawn it."""
        if start.burst and (self._ways is None or not self._ways.take_ticket()):
            return False
        if start.burst != self._burst:
            self._burst = start.burst
            self._is_quiet = True
        # Once a frame of a burst went over the channel, all later ones must, or they overtake it.
        self._is_quiet &= start.has_more
        return True

    def _say(self, *parts: bytes) -> None:
        """Send a frame, through the quiet pipe if the worker need not be woken for it."""
        if self._is_quiet and self._ways is not None:
            if self._ways.say(pack(*parts)):
                return
            self._is_quiet = False
        self._channel.send(*parts)

    def _run_concurrently(self, frame: list[bytes], loaded: Loaded) -> None:
        page = RunnersPage.unshared() if self._ways is None else self._ways.page
        self._runs = ConcurrentRuns(self._channel, page, loaded, self.end_full)
        self._runs.serve(frame)
        self._runs = None

    def end_full(self) -> None:
        """Report that memory is used up, and exit."""
        use_memory_reserve()
        self._send_last(frames.FULL, encode_ending(_OUT_OF_MEMORY))
        os._exit(0)

    def _send_last(self, *parts: bytes) -> None:
        if self._runs is None:
            self._channel.send(*parts)
        else:
            self._runs.send_last(*parts)

    def _send_shortage(self) -> None:
        """If a C library calls `exit` because an allocation failed, report that."""
        if os.getpid() == self._pid and is_memory_short():
            use_memory_reserve()
            text = shortage_text("a library exited after a failed allocation")
            ending = Ending(kind="out_of_memory", message=text, exception_names=("MemoryError",))
            self._send_last(frames.FULL, encode_ending(ending))

    def _fall_silent(self) -> None:
        """In a fork, close everything: it must neither write frames nor take tickets."""
        self._channel.close()
        if self._ways is not None:
            self._ways.close()
        if self._runs is not None:
            self._runs.cut()

    def _run(self, start: Start, arguments: bytes, request: bytes, loaded: Loaded) -> bool:
        """Run one attempt and answer it; return whether it must be the last here."""
        began_at = time.perf_counter()
        serial = b"%d" % start.serial
        self._serial = start.serial
        loaded.output.begin(lambda data: self._say(frames.LOG, serial, data))
        function = loaded.functions.get(start.function)
        if function is None:
            text = f"this version does not publish {start.function}"
            ending, result = Ending(kind="exception", message=text), b""
        else:
            limit_s = start.timeout_s if function.manifest.options.grace_s > 0 else None

            def act() -> tuple[Ending, bytes]:
                return perform(
                    function,
                    arguments,
                    request=request if start.has_request else None,
                    context=self._context(start, loaded.log)
                    if function.takes_context
                    else NO_CONTEXT,
                    send_item=lambda item: self._say(frames.ITEM, serial, item),
                    max_result_bytes=loaded.limits.max_result_bytes,
                    make_room=use_memory_reserve,
                    limit_s=limit_s,
                )

            ending, result = act() if limit_s is None else SoftLimit(limit_s).run(act)
        if os.getpid() != self._pid:  # user code has forked, and this is the child
            os._exit(0)
        is_last = ending.kind not in frames.HARMLESS
        ran_s = time.perf_counter() - began_at
        # Where nothing harmful happened, look for leaks: a thread left running could act in the
        # name of the next attempt.
        if not is_last and (left := loaded.leftovers.find(ran_s)):
            is_last, ending = True, ending._replace(left=left)
        # All output is sent before the answer: the worker drops output of an answered attempt.
        loaded.output.end()
        self._serial = 0
        if is_last:
            self._is_quiet = False
        took_us = b"%d" % (ran_s * 1e6)
        self._say(frames.DONE, serial, encode_ending(ending), result, took_us)
        return is_last

    def _context(self, start: Start, log: FunctionLog) -> Context:
        report = partial(self._report, start.serial)
        return context_of(start, report, timeout_s=start.timeout_s, log=log)

    def _report(self, serial: int, kind: bytes, payload: bytes) -> None:
        if serial == self._serial:  # not from a thread of an attempt that has finished
            self._say(kind, b"%d" % serial, payload)


def _load(data: bytes) -> tuple[dict[str, LoadedFunction], frozenset[str], Ending]:
    """Return the functions, the paths of their files, and the ending of the load."""
    try:
        bundle = decode_bundle(data)
        files = frozenset(map(bundle.path_of, bundle.sources))
        return load(bundle, is_described=False), files, Ending(kind="succeeded")
    except BaseException as error:  # noqa: BLE001 - a user's file may raise anything
        return {}, frozenset(), describe(error)
