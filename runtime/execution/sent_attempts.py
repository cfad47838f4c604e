"""The attempts that lie with one runner: the one it runs, and a few ahead of their turn.

A runner answers them in the order in which they were sent, and takes one only when it has
answered the one before. So the first without an answer is the only one that can have begun;
whether it has is known when what it has not taken is taken back (`recall`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

from runtime.errors import ChannelGarbledError
from runtime.execution import runner_frames as frames
from runtime.execution.ears import Ears
from runtime.execution.ending import Ending
from runtime.execution.runner_claims import check_answer, check_note
from runtime.execution.runner_frames import Start
from runtime.execution.running import Running
from runtime.processes.side_ways import SideWays

_NOTE_PARTS = 3
_DONE_PARTS = 5
_FULL_PARTS = 2
_LOADING = b"0"
Told = tuple[Ending, bytes]


class SentAttempt:
    """One attempt on its way through a runner.

    Attributes:
        told: How it ended, and its result.
        ran_s: How long it ran, as the runner says.
        is_ahead: It is sent behind another.
        is_recalled: It was taken back and has certainly not begun.
        is_slow: Its thread has been told to wait for it.
        running: By which it is cancelled until it is asked for; then `run` sees to that.
        sent_at: By the monotonic clock.
    """

    __slots__ = (
        "_ears",
        "_notes",
        "arguments",
        "is_ahead",
        "is_recalled",
        "is_slow",
        "ran_s",
        "request",
        "running",
        "sent_at",
        "serial",
        "start",
        "told",
    )

    def __init__(
        self,
        start: Start,
        arguments: bytes = b"",
        request: bytes | None = None,
        *,
        is_ahead: bool = False,
    ) -> None:
        self.start = start
        self.is_ahead = is_ahead
        self.serial = b"%d" % start.serial
        self.arguments = arguments
        self.request = request
        self.told: Told | None = None
        self.ran_s = 0.0
        self.is_recalled = False
        self.is_slow = False
        self.sent_at = 0.0
        self.running: Running | None = None
        self._ears: Ears | None = None
        self._notes: list[tuple[str, bytes]] = []

    def listen(self, ears: Ears) -> None:
        """Hear what it has told, and from now on what it tells."""
        self._ears = ears
        notes, self._notes = self._notes, []
        for kind, payload in notes:
            ears.hear(kind, payload)

    def note(self, kind: str, payload: bytes) -> None:
        """Pass on what it tells; keep it while nobody listens."""
        if self._ears is None:
            self._notes.append((kind, payload))
        else:
            self._ears.hear(kind, payload)


class SentAttempts:
    """Those of one runner. One thread adds and hears; any may recall."""

    def __init__(self, ways: SideWays | None) -> None:
        self._ways = ways
        self._line: deque[SentAttempt] = deque()
        self._lock = threading.Lock()
        self.is_burst = False  # something was sent ahead since the line was last empty
        self.is_harmed = False  # it must begin nothing more
        self.heard_at = 0.0  # the last answer, by the monotonic clock
        self._has_stale = False  # the runner may yet have to pass over what was recalled

    def __len__(self) -> int:
        return len(self._line)

    @property
    def takes_bursts(self) -> bool:
        """Whether several attempts can be sent at once.

        Not where frames of recalled ones may still lie in the channel: the runner would take the
        tickets of later ones for them.
        """
        return self._ways is not None and not self._has_stale

    def add(self, line: Sequence[SentAttempt]) -> bool:
        """Note what is about to be sent, with tickets for a burst; False if there can be none."""
        now = time.monotonic()
        for sent in line:
            sent.sent_at = now
        with self._lock:
            self._line.extend(line)
            self.is_burst = len(line) > 1
            return not self.is_burst or (self._ways is not None and self._ways.issue(len(line)))

    def recall(self) -> None:
        """Take back what the runner has not taken; of that it will begin nothing."""
        if self.is_burst:
            with self._lock:
                self._recall()

    def abandon(self) -> None:
        """The runner says nothing more: all but the first without an answer have not begun."""
        with self._lock:
            self._recall()
            while len(self._line) > 1:  # it has taken these without running them
                self._line.pop().is_recalled = True

    def condemn(self, sent: SentAttempt) -> bool:
        """Recall what lies behind it; return whether the runner may be running just this one.

        It is then to be killed, and whatever it answers meanwhile, nobody else gets it.
        """
        with self._lock:
            if sent.told is not None:
                return False
            self._recall()
            if sent in self._line:
                may_run = self._line[-1] is sent
            else:
                may_run = not (sent.is_recalled or sent.is_ahead)  # it may be sent at any moment
            self.is_harmed |= may_run
            return may_run

    def has_begun(self, sent: SentAttempt) -> bool:
        """Whether it is over, or the runner has taken it for all we know."""
        with self._lock:
            return sent.told is not None or sent in self._line

    def hear(self, frame: list[bytes]) -> None:
        """Take in one frame; raises ChannelGarbledError."""
        kind = frame[0] if frame else b""
        if kind == frames.DONE and len(frame) == _DONE_PARTS:
            ending, result = frames.decode_ending(frame[2]), frame[3]
            if frame[1] != _LOADING:
                check_answer(ending, result)
            self._answer(frame[1], (ending, result), _seconds_of(frame[4]))
        elif kind in frames.NOTES and len(frame) == _NOTE_PARTS:
            with self._lock:
                first = self._line[0] if self._line else None
            if first is not None and frame[1] == first.serial:
                check_note(kind.decode(), frame[2])
                first.note(kind.decode(), frame[2])
            # else: from a thread of an earlier attempt
        elif kind == frames.FULL and len(frame) == _FULL_PARTS:
            self.recall()
            ending = frames.decode_ending(frame[1])
            check_answer(ending, b"")
            if self._line:
                self._answer(self._line[0].serial, (ending, b""), 0.0)
        else:
            raise ChannelGarbledError(f"a runner said {kind[:20]!r}")

    def _answer(self, serial: bytes, told: Told, ran_s: float) -> None:
        self.heard_at = now = time.monotonic()
        with self._lock:
            if not self._line or self._line[0].serial != serial:
                raise ChannelGarbledError("an answer to nothing that was asked")
            first = self._line.popleft()
            first.told = told
            if told[0].kind not in frames.HARMLESS or told[0].left:
                self.is_harmed = True
            if not first.start.burst:  # it came behind all that was recalled
                self._has_stale = False
        first.ran_s = min(max(ran_s, 0.0), now - first.sent_at)

    def _recall(self) -> None:
        if self._ways is None or not self.is_burst:
            return
        for _ in range(min(self._ways.take_back(), len(self._line))):
            self._line.pop().is_recalled = True
            self._has_stale = True


def _seconds_of(microseconds: bytes) -> float:
    try:
        return int(microseconds) / 1e6
    except ValueError as error:
        raise ChannelGarbledError("no number of microseconds") from error
