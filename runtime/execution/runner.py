"""A warm child that runs attempts of one version, seen from the worker.

One thread at a time holds a runner (`runtime.execution.runner_pool` sees to it) and
walks it through load, begin, await_ending. Any thread may recall what lies ahead in it, or
kill it.
"""

from __future__ import annotations

import math
import select
import time
from collections.abc import Sequence
from typing import NamedTuple

from runtime.errors import ChannelClosedError, ChannelGarbledError, ChannelResetError
from runtime.execution import runner_frames as frames
from runtime.execution.ears import Ears
from runtime.execution.ending import Ending
from runtime.execution.runner_frames import Limits, Start
from runtime.execution.sent_attempts import SentAttempt, SentAttempts, Told
from runtime.processes.fork_server import Child
from runtime.processes.frames import pack, unpack_each
from runtime.processes.lifeline import Exit
from runtime.processes.side_ways import SideWays

_DEATH_LIMIT_S = 5.0
_CLOSING_LIMIT_S = 1.0
_SEND_LIMIT_S = 5.0
_LATE_FRAMES = 16
_LATE_S = 0.05
_LOADING = Start(serial=0, id="", function="", attempt=0, timeout_s=0)
_QUICK_MS = 1  # what ends within it has not kept its thread waiting
_BURST_MS = 4  # the same of a function known to be quick, which a busy machine may hold up


class RunnerKey(NamedTuple):
    """What a runner is for: a version's bundle under one memory limit."""

    file: str
    version: str
    memory_bytes: int


class Runner:
    """One child and what the worker knows of it."""

    def __init__(self, key: RunnerKey, child: Child) -> None:
        self.key = key
        self.attempts = 0
        self.last_used = time.monotonic()
        self.is_loaded = False
        self._child = child
        self._ways = SideWays.open()
        self._sent = SentAttempts(self._ways)
        self._broken: ChannelClosedError | None = None
        self._is_spent = False
        self._anything = select.poll()
        self._anything.register(child.channel.fileno(), select.POLLIN)
        if self._ways is not None:
            self._anything.register(self._ways.fileno(), select.POLLIN)

    @property
    def pid(self) -> int:
        """The child's process."""
        return self._child.pid

    @property
    def is_spent(self) -> bool:
        """Whether it must begin nothing more."""
        return self._is_spent or self._sent.is_harmed

    @property
    def is_busy(self) -> bool:
        """Whether it has anything without an answer."""
        return len(self._sent) > 0

    @property
    def is_sound(self) -> bool:
        """Whether others may have it: loaded, unharmed, nothing of it under way."""
        sent = self._sent
        is_harmed = self._is_spent or sent.is_harmed or self._broken is not None
        return self.is_loaded and not is_harmed and not len(sent)

    @property
    def takes_bursts(self) -> bool:
        """Whether attempts can be sent ahead now."""
        return self._sent.takes_bursts

    @property
    def heard_at(self) -> float:
        """When the last answer was read, by the monotonic clock."""
        return self._sent.heard_at

    def load(self, bundle: bytes, limits: Limits, *, timeout_s: float, ears: Ears) -> Ending:
        """Send the bundle and wait until it is loaded; kind "succeeded", or why not.

        Raises:
            TimeoutError: It takes too long.
            ChannelClosedError: The child has ended or broke its channel.
        """
        deadline = time.monotonic() + timeout_s
        channel = self._child.channel
        if self._ways is None:
            channel.send_descriptors(())
        else:
            self._ways.give(channel)
        loading = SentAttempt(_LOADING)
        self._sent.add([loading])
        channel.send(frames.LOAD, frames.encode(limits), bundle, timeout_s=_SEND_LIMIT_S)
        told = self._told(loading, deadline, ears)
        if told is None:
            raise ChannelGarbledError("it took back what cannot be taken back")
        ending = told[0]
        self.is_loaded = ending.kind == "succeeded"
        return ending

    def begin(self, line: Sequence[SentAttempt]) -> None:
        """Send an attempt, or several at once, which it then runs one after the other.

        Raises:
            ChannelResetError: The child ended before; none of them has begun.
            ChannelGarbledError: The child does not read.
        """
        self.attempts += len(line)
        if not self._sent.add(line):
            raise self._break(ChannelResetError("it takes no tickets"))
        channel = self._child.channel
        try:
            if len(line) == 1:
                channel.send(*_frame_of(line[0]), timeout_s=_SEND_LIMIT_S)
            else:
                frames_of_all = b"".join([pack(*_frame_of(sent)) for sent in line])
                channel.send_packed(frames_of_all, timeout_s=_SEND_LIMIT_S)
        except TimeoutError as error:
            raise self._break(ChannelGarbledError("it does not read")) from error
        except ChannelClosedError as error:
            raise self._break(ChannelResetError("it ended before the attempt")) from error

    def await_ending(self, sent: SentAttempt, deadline: float, ears: Ears) -> Told | None:
        """Return how an attempt ended, and its result; None if it was recalled.

        Args:
            sent: The first of those that were sent and have not been awaited.
            deadline: By the monotonic clock.
            ears: Take what the attempt tells, as it comes.

        Raises:
            TimeoutError: The deadline has come.
            ChannelClosedError: The child has ended or broke its channel;
                ChannelResetError when it certainly has not begun the attempt.
        """
        return self._told(sent, deadline, ears)

    def recall(self) -> None:
        """Take back what has not begun; from any thread. It is marked as recalled."""
        self._sent.recall()

    def look(self) -> None:
        """Hear what was said quietly until now, without waiting."""
        if self._broken is None:
            try:
                self._hear_quiet()
            except ChannelClosedError as error:
                self._break(error)

    def stop(self, sent: SentAttempt) -> bool:
        """Kill the child if it may be running just this attempt; from any thread.

        What lies behind it is recalled first, so that nobody else is hit. Return whether it
        has begun, for all we know.
        """
        if self._sent.condemn(sent):
            self.kill()
        return self._sent.has_begun(sent)

    def kill(self) -> None:
        """Kill the child and its process group; from any thread. What it has said counts."""
        self._is_spent = True
        self._child.kill()

    def end(self) -> Exit | None:
        """Kill what is left, wait until it is gone; return how it ended."""
        self._child.kill()
        ended = self._child.wait(_DEATH_LIMIT_S)
        self._child.close()
        if self._ways is not None:
            self._ways.close()
        return ended

    def how_it_ended(self) -> Exit | None:
        """Return how a child ended whose channel closed; None if it lives on without it."""
        return self._child.wait(_CLOSING_LIMIT_S)

    def _break(self, error: ChannelClosedError) -> ChannelClosedError:
        """Note that nothing more is to be heard of the child."""
        self._broken = error
        self._sent.abandon()
        return error

    def _told(self, sent: SentAttempt, deadline: float, ears: Ears) -> Told | None:
        """Wait for an answer; what was said before a death or a deadline counts."""
        sent.listen(ears)
        try:
            if sent.told is None and self._broken is not None:
                raise self._broken
            self._await(sent, deadline, ears)
        except TimeoutError:
            self._sent.recall()
            self._hear_late(sent)
            if sent.told is None:
                self._is_spent = True
                if not sent.is_recalled:
                    raise
        except ChannelClosedError as error:
            if self._broken is None:
                self.look()
                self._break(error)
            if sent.told is None and not sent.is_recalled:
                if sent.start.burst and isinstance(error, ChannelResetError):
                    raise ChannelClosedError("it went with others unread") from error
                raise
        return sent.told

    def _hear_late(self, sent: SentAttempt) -> None:
        """Hear what had been said when the deadline came: its thread may have asked late."""
        self.look()
        channel = self._child.channel
        try:
            for _ in range(_LATE_FRAMES):
                if sent.told is not None or self._broken is not None or not channel.is_readable(0):
                    return
                self._hear(channel.receive(_LATE_S))
        except TimeoutError:
            return
        except ChannelClosedError as error:
            self._break(error)

    def _await(self, sent: SentAttempt, deadline: float, ears: Ears) -> None:
        channel = self._child.channel
        patience_ms = _BURST_MS if sent.start.burst else _QUICK_MS
        quick_until = time.monotonic() + patience_ms / 1000
        while sent.told is None:
            if not sent.is_slow:
                if channel.is_readable(patience_ms) and time.monotonic() < quick_until:
                    self._hear(channel.receive(deadline - time.monotonic()))
                    continue
                self._hear_quiet()
                if sent.told is not None:
                    return
                sent.is_slow = True
                self._settle_down(sent, deadline)
                if sent.told is not None:
                    return
                ears.on_wait()
            if sent.is_recalled:
                return
            self._hear_next(deadline)

    def _settle_down(self, sent: SentAttempt, deadline: float) -> None:
        """Let the runner have but the one attempt that it runs, or hear how this one ended."""
        self._sent.recall()
        self._hear_quiet()
        while sent.told is None and len(self._sent) > 1:
            if not self._child.channel.is_readable(0):
                raise ChannelGarbledError("it took more than it began")
            self._hear_next(deadline)

    def _hear_next(self, deadline: float) -> None:
        """Wait for a frame, and for what was said quietly before it."""
        channel = self._child.channel
        if not self._sent.is_burst:
            self._hear(channel.receive(deadline - time.monotonic()))
            return
        if not channel.is_readable(0):
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not self._anything.poll(math.ceil(left_s * 1000)):
                raise TimeoutError("not in time")
        is_rung = channel.is_readable(0)
        frame = channel.receive(deadline - time.monotonic()) if is_rung else None
        self._hear_quiet()
        if frame is not None:
            self._sent.hear(frame)

    def _hear(self, frame: list[bytes]) -> None:
        self._hear_quiet()
        self._sent.hear(frame)

    def _hear_quiet(self) -> None:
        """Hear what was said before anything that has come over the channel since."""
        if self._sent.is_burst and self._ways is not None:
            for frame in unpack_each(self._ways.listen()):
                self._sent.hear(frame)


def _frame_of(sent: SentAttempt) -> tuple[bytes, bytes, bytes, bytes]:
    return frames.RUN, frames.encode(sent.start), sent.arguments, sent.request or b""
