"""The process of a runner as the worker's loop sees it: frames there and back, and its death.

    spawn (in a thread) → connected → frames … → silent (its channel is gone) → dead

Everything but `spawn` happens in the loop's thread. What a process has said before it fell silent
is heard before its silence is told.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from runtime.errors import ChannelClosedError, ChannelGarbledError, ProcessError
from runtime.loop import Loop, Timer
from runtime.processes.channel import unpack_each
from runtime.processes.child_control import Exit
from runtime.processes.fork_server import Child, ForkServer
from runtime.processes.frame_reader import FrameReader
from runtime.processes.side_channel import SideChannel
from runtime.stream import Stream
from runtime.telemetry.background import CRASHES

RUNNER_ENTRY = "runtime.execution.runner_main:main"
PRELOAD = ("runtime.execution.runner_main", "runtime.execution.preload")  # for the fork server
_EXIT_S = 1.0  # a process whose channel is gone ends within it, or lives on without
_DEATH_S = 5.0
_PAUSE_S = 1.0
_LOOK_S = 0.005


class Observer(Protocol):
    """Who is told of a process."""

    def on_connected(self) -> None:
        """It runs, and can be sent frames."""

    def on_refused(self, error: Exception) -> None:
        """There is no such process, and will be none."""

    def on_frame(self, frame: list[bytes]) -> None:
        """It says something; ChannelGarbledError if that means nothing."""

    def on_silent(self, error: Exception | None) -> None:
        """It will say nothing more; what was not answered will not be."""

    def on_dead(self, ended: Exit | None) -> None:
        """It is gone, and this is how; None: it lived on, and has been killed."""


class RunnerProcess:
    """One child of the fork server.

    Attributes:
        pid: Its number; 0 before it runs.
        ways: Tickets and the quiet pipe, and the page that says who executes; None where the
            system has no descriptors left, or before it runs.
    """

    def __init__(
        self, loop: Loop, fork_server: ForkServer, memory_bytes: int, observer: Observer
    ) -> None:
        self.pid = 0
        self.ways: SideChannel | None = None
        self._loop = loop
        self._fork_server = fork_server
        self._memory_bytes = memory_bytes
        self._observer = observer
        self._child: Child | None = None
        self._stream: Stream | None = None
        self._reader = FrameReader()
        self._is_killed = self._is_silent = self._is_dead = False
        self._receives_silently = self._is_paused = False
        self._patience: Timer | None = None

    def spawn(self) -> None:
        """Have the process made, in a thread of its own: forking takes a moment, or long."""
        try:
            threading.Thread(target=self._spawn, name="spawn", daemon=True).start()
        except RuntimeError as error:  # the system has no more threads
            self._loop.call_soon(partial(self._observer.on_refused, error))

    def send(self, frames: bytes) -> bool:
        """Send frames, each made by `pack`; what is not taken at once waits.

        Return False where the process gets none of them, as it is gone.
        """
        return self._stream is not None and self._stream.write(frames)

    @property
    def is_stuck(self) -> bool:
        """Whether it has yet to take what was sent."""
        return self._stream is not None and self._stream.unsent > 0

    def listen_quiet(self) -> None:
        """Hear what is said quietly as soon as it is said, until `look` finds that enough."""
        if self.ways is not None and not self._receives_silently:
            self._receives_silently = True
            self._loop.add_reader(self.ways.fileno(), self.look)

    def ignore_quiet(self) -> None:
        """Be woken by the channel only; `look` hears the rest."""
        if self.ways is not None and self._receives_silently:
            self._receives_silently = False
            self._loop.remove_reader(self.ways.fileno())

    def look(self) -> None:
        """Hear what was said quietly until now."""
        if self.ways is None or self._is_silent:
            return
        data = self.ways.listen()
        if data:
            self._receive_all(unpack_each(data))

    def look_at_all(self) -> None:
        """Hear all that was said until now: who looks may have come late."""
        self.look()
        if self._stream is not None:
            self._stream.read_now()

    def pause(self, is_full: Callable[[], bool]) -> None:
        """Read nothing of its channel while this is so, for a second at most."""
        if self._stream is None or self._is_paused:
            return
        stream, until = self._stream, self._loop.time() + _PAUSE_S
        self._is_paused = True
        stream.pause()

        def look() -> None:
            if is_full() and self._loop.time() < until:
                self._loop.call_later(_LOOK_S, look)
            else:
                self._is_paused = False
                stream.resume()

        self._loop.call_later(_LOOK_S, look)

    def distrust(self, error: ChannelGarbledError) -> None:
        """Hear nothing more of it, and kill it: it does not keep to the protocol."""
        self._fall_silent(error)
        self.kill()

    def kill(self) -> None:
        """Kill the process and its group. What it has said counts; `on_dead` follows."""
        self._is_killed = True
        if self._child is not None:
            if self._patience is None:
                self._patience = self._loop.call_later(_DEATH_S, self._give_up)
            with contextlib.suppress(RuntimeError):  # no thread for its last resort
                self._child.kill()

    def _spawn(self) -> None:
        """In a thread of its own."""
        try:
            child = self._fork_server.spawn(RUNNER_ENTRY, memory_bytes=self._memory_bytes)
        except (ProcessError, OSError, RuntimeError) as error:  # of descriptors, or threads
            self._loop.call_soon_threadsafe(partial(self._observer.on_refused, error))
            return
        ways = SideChannel.open()
        try:
            if ways is None:
                child.channel.send_descriptors(())
            else:
                ways.give(child.channel)
        except ChannelClosedError:  # it is dead already, which its channel will tell
            pass
        self._loop.call_soon_threadsafe(partial(self._connect, child, ways))

    def _connect(self, child: Child, ways: SideChannel | None) -> None:
        self.pid, self.ways, self._child = child.pid, ways, child
        self._stream = Stream(
            self._loop, child.channel.hand_over()[0], on_data=self._receive, on_closed=self._lose
        )
        self._loop.add_reader(child.fileno(), self._receive_exit)
        if self._is_killed:
            self.kill()
        self._observer.on_connected()

    def _receive(self, data: bytes) -> None:
        if self.ways is not None:  # what was said quietly was said before this
            self.look()
        self._receive_all(self._reader.feed(data))

    def _receive_all(self, frames: Iterator[list[bytes]]) -> None:
        try:
            for frame in frames:
                if self._is_silent:
                    return
                self._observer.on_frame(frame)
        except ChannelGarbledError as error:
            self.distrust(error)
        except Exception as error:  # noqa: BLE001 - what lies behind it would wait for ever
            CRASHES.note("runner_process", error)
            self.distrust(ChannelGarbledError(f"what it said could not be handled: {error}"))

    def _lose(self, error: OSError | None) -> None:
        self.look()
        self._fall_silent(error)
        if self._patience is None:
            self._patience = self._loop.call_later(_EXIT_S, self._give_up)

    def _fall_silent(self, error: Exception | None) -> None:
        if self._is_silent:
            return
        self.ignore_quiet()
        self._is_silent = True
        if self._stream is not None:
            self._stream.close()
        self._observer.on_silent(error)

    def _receive_exit(self) -> None:
        """Its lifeline says how it ended."""
        child = self._child
        if child is None:
            return
        ended = child.wait(0)
        if ended is not None:
            self._loop.remove_reader(child.fileno())
            self.look_at_all()
            self._die(ended)

    def _give_up(self) -> None:
        """It lives on without its channel, or cannot be killed."""
        if self._child is not None and not self._is_dead:
            self._loop.remove_reader(self._child.fileno())
            self._die(None)

    def _die(self, ended: Exit | None) -> None:
        if self._is_dead:
            return
        self._fall_silent(None)
        self._is_dead = True
        if self._patience is not None:
            self._patience.cancel()
        try:
            self._observer.on_dead(ended)
        finally:
            if self.ways is not None:
                self.ways.close()
            if self._child is not None:
                _reap(self._child)


def _reap(child: Child) -> None:
    """End what is left of it, its group and its folder, in a thread: that may take long."""
    try:
        threading.Thread(target=child.close, name="reap", daemon=True).start()
    except RuntimeError:  # the system has no more threads
        child.close()
