"""A warm child that runs attempts of one version, seen from the worker.

One thread at a time holds a runner (`runtime.execution.runner_pool` sees to it) and
walks it through load, begin, await_ending. Any thread may kill it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from runtime.errors import ChannelClosedError, ChannelGarbledError, ChannelResetError
from runtime.execution import runner_frames as frames
from runtime.execution.attempt_output import truncation_mark
from runtime.execution.ending import Ending
from runtime.execution.runner_frames import Limits, Start
from runtime.processes.fork_server import Child
from runtime.processes.lifeline import Exit

OnNote = Callable[[str, bytes], None]
OnWait = Callable[[], None]
_DEATH_LIMIT_S = 5.0
_CLOSING_LIMIT_S = 1.0
_SEND_LIMIT_S = 5.0
_LOAD_SERIAL = 0
_NOTE_PARTS = 3
_QUICK_MS = 1  # what ends within it has not kept its thread waiting


class RunnerKey(NamedTuple):
    """What a runner is for: a version's bundle under one memory limit."""

    file: str
    version: str
    memory_bytes: int


@dataclass(slots=True, eq=False)
class Logs:
    """Output as it comes from a runner, bounded here too."""

    max_bytes: int
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def add(self, data: bytes) -> bytes:
        """Keep what fits, and return it; the runner's own truncation mark does fit."""
        room = self.max_bytes + len(truncation_mark(self.max_bytes)) - self._size
        kept = data[: max(room, 0)]
        if kept:
            self._parts.append(kept)
            self._size += len(kept)
        return kept

    def text(self) -> bytes:
        """Return all that was kept."""
        return b"".join(self._parts)


class Ears(NamedTuple):
    """What listens to an attempt.

    Attributes:
        logs: Its output.
        on_note: Is told ("log" | "progress" | "item" | "event", data).
        on_wait: Is told that it does not end at once.
    """

    logs: Logs
    on_note: OnNote
    on_wait: OnWait


class Runner:
    """One child and what the worker knows of it."""

    def __init__(self, key: RunnerKey, child: Child) -> None:
        self.key = key
        self.attempts = 0
        self.last_used = time.monotonic()
        self.is_loaded = False
        self._child = child
        self._serial = _LOAD_SERIAL

    @property
    def pid(self) -> int:
        """The child's process."""
        return self._child.pid

    def load(self, bundle: bytes, limits: Limits, *, timeout_s: float, ears: Ears) -> Ending:
        """Send the bundle and wait until it is loaded; kind "succeeded", or why not.

        Raises:
            TimeoutError: It takes too long.
            ChannelClosedError: The child has ended or broke its channel.
        """
        deadline = time.monotonic() + timeout_s
        self._child.channel.send(
            frames.LOAD, frames.encode(limits), bundle, timeout_s=_SEND_LIMIT_S
        )
        ending, _ = self._await(frames.LOADED, deadline, ears)
        self.is_loaded = ending.kind == "succeeded"
        return ending

    def begin(self, start: Start, arguments: bytes, request: bytes | None) -> None:
        """Send an attempt.

        Raises:
            ChannelResetError: The child ended before; the attempt has not begun.
            ChannelGarbledError: The child does not read.
        """
        self._serial = start.serial
        self.attempts += 1
        try:
            self._child.channel.send(
                frames.RUN, frames.encode(start), arguments, request or b"", timeout_s=_SEND_LIMIT_S
            )
        except TimeoutError as error:
            raise ChannelGarbledError("it does not read") from error
        except ChannelClosedError as error:
            raise ChannelResetError("it ended before the attempt") from error

    def await_ending(self, deadline: float, ears: Ears) -> tuple[Ending, bytes]:
        """Return how the attempt ended, and its result.

        Args:
            deadline: By the monotonic clock.
            ears: Take what the attempt tells, as it comes.

        Raises:
            TimeoutError: The deadline has come.
            ChannelClosedError: The child has ended or broke its channel;
                ChannelResetError when it certainly has not begun the attempt.
        """
        return self._await(frames.DONE, deadline, ears)

    def kill(self) -> None:
        """Kill the child and its process group; from any thread."""
        self._child.kill()

    def end(self) -> Exit | None:
        """Kill what is left, wait until it is gone; return how it ended."""
        self._child.kill()
        ended = self._child.wait(_DEATH_LIMIT_S)
        self._child.close()
        return ended

    def how_it_ended(self) -> Exit | None:
        """Return how a child ended whose channel closed; None if it lives on without it."""
        return self._child.wait(_CLOSING_LIMIT_S)

    def _await(self, last: bytes, deadline: float, ears: Ears) -> tuple[Ending, bytes]:
        channel = self._child.channel
        while True:
            if not channel.is_readable(_QUICK_MS):
                ears.on_wait()
            frame = channel.receive(deadline - time.monotonic())
            kind = frame[0] if frame else b""
            if kind == last:
                return _ending_of(frame)
            if kind not in frames.NOTES or len(frame) != _NOTE_PARTS:
                raise ChannelGarbledError(f"a runner said {kind[:20]!r}")
            if frame[1] != b"%d" % self._serial:
                continue  # from a thread of an earlier attempt
            payload = ears.logs.add(frame[2]) if kind == frames.LOG else frame[2]
            if payload:
                ears.on_note(kind.decode(), payload)


def _ending_of(frame: list[bytes]) -> tuple[Ending, bytes]:
    if len(frame) == 2:  # noqa: PLR2004 - kind, ending
        return frames.decode_ending(frame[1]), b""
    if len(frame) == 3:  # noqa: PLR2004 - kind, ending, result
        return frames.decode_ending(frame[1]), frame[2]
    raise ChannelGarbledError("an ending of so many parts")
