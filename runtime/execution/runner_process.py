"""One runner process as the worker sees it: starting it, its frames, and its exit.

    spawn ──► connected ──► silent ──► dead
      └─────────────────────────────► refused      no process could be made

connected: frames are sent and received.
silent:    nothing more is received: the channel is closed, or was closed for a protocol error.
           All frames that the process had sent before are handled first.
dead:      the exit is known, or the process was given up and its group killed.

`_spawn` runs in a thread of its own and touches only its locals; everything else is called and
written on the loop thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from runtime.buffered_socket import Stream
from runtime.errors import ChannelClosedError, ChannelGarbledError, ProcessError
from runtime.loop import Loop, Timer
from runtime.processes.child_control import Exit
from runtime.processes.fork_server import Child, ForkServer
from runtime.processes.frames import FrameReader, unpack_each
from runtime.processes.side_channel import SideChannel
from runtime.telemetry.background import CRASHES

RUNNER_ENTRY = "runtime.execution.runner_main:main"
PRELOAD = ("runtime.execution.runner_main", "runtime.execution.preload")  # by the fork server
_EXIT_S = 1.0  # a process that has lost its channel and not exited by then is killed
_DEATH_S = 5.0  # a process that was killed and is not reaped by then is given up
_PAUSE_S = 1.0
_LOOK_S = 0.005


class Observer(Protocol):
    """Is notified of what happens to a process, on the loop thread."""

    def on_connected(self) -> None:
        """The process runs and can be sent frames."""

    def on_refused(self, error: Exception) -> None:
        """The process could not be made."""

    def on_frame(self, frame: list[bytes]) -> None:
        """A frame has arrived; raises ChannelGarbledError if it breaks the protocol."""

    def on_silent(self, error: Exception | None) -> None:
        """Nothing more will be received; attempts not answered by now never will be."""

    def on_dead(self, ended: Exit | None) -> None:
        """The process has exited in this way; None: it did not exit and is being killed."""


class RunnerProcess:
    """One child of the fork server.

    Attributes:
        pid: The process id; 0 until it is connected.
        ways: The side channel: tickets, the quiet pipe and the shared page. None until connected,
            or if the system had no descriptors left.
        is_killed: Whether it is being killed, or is about to be.
    """

    def __init__(
        self,
        loop: Loop,
        find_server: Callable[[], ForkServer],
        memory_bytes: int,
        observer: Observer,
    ) -> None:
        self.pid = 0
        self.ways: SideChannel | None = None
        self._loop = loop
        self._find_server = find_server
        self._memory_bytes = memory_bytes
        self._observer = observer
        self._child: Child | None = None
        self._stream: Stream | None = None
        self._reader = FrameReader()
        self.is_killed = self._is_silent = self._is_dead = False
        self._receives_silently = self._is_paused = False
        self._patience: Timer | None = None

    def spawn(self) -> None:
        """Start the process from a thread, as forking may block; `on_connected` follows."""
        try:
            threading.Thread(target=self._spawn, name="spawn", daemon=True).start()
        except RuntimeError as error:  # the system has no more threads
            self._loop.call_soon(partial(self._observer.on_refused, error))

    def send(self, frames: bytes) -> bool:
        """Send packed frames; what the socket does not take now is sent later.

        Return False if the process is gone and gets none of them.
        """
        return self._stream is not None and self._stream.write(frames)

    @property
    def is_stuck(self) -> bool:
        """Whether some of what was sent is still unsent."""
        return self._stream is not None and self._stream.unsent > 0

    def listen_quiet(self) -> None:
        """Poll the quiet pipe as well, so that its frames arrive at once."""
        if self.ways is not None and not self._receives_silently:
            self._receives_silently = True
            self._loop.add_reader(self.ways.fileno(), self.look)

    def ignore_quiet(self) -> None:
        """Stop polling the quiet pipe; `look` still reads it."""
        if self.ways is not None and self._receives_silently:
            self._receives_silently = False
            self._loop.remove_reader(self.ways.fileno())

    def look(self) -> None:
        """Handle the frames in the quiet pipe."""
        if self.ways is None or self._is_silent:
            return
        data = self.ways.listen()
        if data:
            self._receive_all(unpack_each(data))

    def look_at_all(self) -> None:
        """Handle all frames sent so far: the loop thread may be late in reading them."""
        self.look()
        if self._stream is not None:
            self._stream.read_now()

    def pause(self, is_full: Callable[[], bool]) -> None:
        """Stop reading the channel while this is true, for one second at most."""
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
        """Stop receiving and kill the process: it broke the protocol."""
        self._fall_silent(error)
        self.kill()

    def kill(self) -> None:
        """Kill the process group. Frames already sent still count; `on_dead` follows."""
        self.is_killed = True
        # Before it is connected there is nothing to kill: `_connect` then sees the flag.
        if self._child is not None:
            if self._patience is None:
                self._patience = self._loop.call_later(_DEATH_S, self._give_up)
            with contextlib.suppress(RuntimeError):  # no thread for the delayed second kill
                self._child.kill()

    def _spawn(self) -> None:
        """Fork the child and hand it to the loop thread; runs in the "spawn" thread."""
        try:
            child = self._find_server().spawn(RUNNER_ENTRY, memory_bytes=self._memory_bytes)
        except (ProcessError, OSError, RuntimeError) as error:  # OSError: no descriptors left
            self._loop.call_soon_threadsafe(partial(self._observer.on_refused, error))
            return
        # If the worker is killed from here on, no orphan is left: its end of the lifeline closes,
        # which the fork server takes as the order to kill the child.
        ways = SideChannel.open()
        try:
            if ways is None:
                child.channel.send_descriptors(())
            else:
                ways.give(child.channel)
        except ChannelClosedError:  # it is dead already; reading its channel will show that
            pass
        self._loop.call_soon_threadsafe(partial(self._connect, child, ways))

    def _connect(self, child: Child, ways: SideChannel | None) -> None:
        self.pid, self.ways, self._child = child.pid, ways, child
        self._stream = Stream(
            self._loop, child.channel.sock, on_data=self._receive, on_closed=self._lose
        )
        self._loop.add_reader(child.fileno(), self._receive_exit)
        if self.is_killed:
            self.kill()
        self._observer.on_connected()

    def _receive(self, data: bytes) -> None:
        if self.ways is not None:  # its frames were written before these
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
        except Exception as error:  # noqa: BLE001 - frames behind it would never be handled
            CRASHES.note("runner_process", error)
            self.distrust(ChannelGarbledError(f"a frame could not be handled: {error}"))

    def _lose(self, error: OSError | None) -> None:
        # The quiet pipe first: its frames were written before the channel closed. The death is not
        # reported yet, as the exit code decides the ending of the attempt.
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
        """The lifeline is readable: the process has exited."""
        child = self._child
        if child is None:
            return
        ended = child.wait(0)
        if ended is not None:
            self._loop.remove_reader(child.fileno())
            # Answers still in the channel count, so they are read before the death is reported.
            self.look_at_all()
            self._die(ended)

    def _give_up(self) -> None:
        """Report the death of a process that did not exit in time, and have it killed."""
        if self._child is not None and not self._is_dead:
            self._loop.remove_reader(self._child.fileno())
            self._die(None)

    def _die(self, ended: Exit | None) -> None:
        if self._is_dead:
            return
        # Silence is always reported before death.
        self._fall_silent(None)
        self._is_dead = True
        if self._patience is not None:
            self._patience.cancel()
        # `on_dead` still reads the shared page, so the side channel is closed after it.
        try:
            self._observer.on_dead(ended)
        finally:
            if self.ways is not None:
                self.ways.close()
            if self._child is not None:
                _reap(self._child)


def _reap(child: Child) -> None:
    """Kill what is left of the group and delete its folder, in a thread as it may take long."""
    try:
        threading.Thread(target=child.close, name="reap", daemon=True).start()
    except RuntimeError:  # the system has no more threads
        child.close()
