"""SentAttempts: which of those that lie with a runner may have begun, and whom a kill would hit."""

from __future__ import annotations

import socket

import pytest

from runtime.errors import ChannelGarbledError
from runtime.execution import runner_frames as frames
from runtime.execution.ending import Ending
from runtime.execution.runner_frames import Start
from runtime.execution.sent_attempts import SentAttempt, SentAttempts
from runtime.processes.frames import Channel
from runtime.processes.side_ways import ChildsSideWays, SideWays

ENDING = frames.encode(Ending(kind="succeeded"))


def start(serial, burst=0):
    return Start(serial=serial, id=str(serial), function="f", attempt=1, timeout_s=1, burst=burst)


def done(serial):
    return [frames.DONE, b"%d" % serial, ENDING, b"%d" % serial, b"7"]


class Desk:
    """A worker's view of four attempts in a burst, and the runner's tickets."""

    def __init__(self, ways, theirs):
        self.theirs = theirs
        self.attempts = SentAttempts(ways)
        self.line = [SentAttempt(start(n, burst=1), is_ahead=n > 1) for n in (1, 2, 3, 4)]
        self.attempts.add(self.line)

    def recalled(self):
        return [sent.start.serial for sent in self.line if sent.is_recalled]


@pytest.fixture
def desk():
    left, right = socket.socketpair()
    owner, child = Channel(left), Channel(right)
    ways = SideWays()
    ways.give(owner)
    theirs = ChildsSideWays.take(child)
    yield Desk(ways, theirs)
    for each in (theirs, ways, owner, child):
        each.close()


def test_what_has_not_been_taken_is_recalled_from_the_end(desk):
    desk.theirs.take_ticket()
    desk.theirs.take_ticket()

    desk.attempts.recall()

    assert desk.recalled() == [3, 4]
    assert len(desk.attempts) == 2


def test_a_kill_is_for_the_one_that_was_taken_last(desk):
    first, second, third, _ = desk.line
    desk.theirs.take_ticket()
    desk.theirs.take_ticket()

    assert not desk.attempts.condemn(first)  # it is over: the runner has gone on
    assert not desk.attempts.is_harmed
    assert not desk.attempts.condemn(third)  # it has not begun
    assert desk.attempts.condemn(second)
    assert desk.attempts.is_harmed
    assert [desk.attempts.has_begun(sent) for sent in desk.line] == [True, True, False, False]


def test_one_that_has_answered_is_never_killed(desk):
    desk.theirs.take_ticket()
    desk.attempts.hear(done(1))

    assert not desk.attempts.condemn(desk.line[0])
    assert desk.recalled() == []


def test_answers_are_taken_in_order_and_from_what_was_asked_only(desk):
    desk.attempts.hear(done(1))

    with pytest.raises(ChannelGarbledError):
        desk.attempts.hear(done(3))
    with pytest.raises(ChannelGarbledError):
        desk.attempts.hear(done(1))
    desk.attempts.hear(done(2))
    assert [sent.told and sent.told[1] for sent in desk.line] == [b"1", b"2", None, None]


@pytest.mark.parametrize(
    "frame",
    [
        [],
        [b"what"],
        [frames.DONE, b"1"],
        [frames.DONE, b"1", b"\xff", b"", b"7"],
        [frames.DONE, b"1", ENDING, b"", b"soon"],
        [frames.LOG, b"1"],
        [frames.FULL, b"\xff"],
    ],
)
def test_what_is_no_answer_is_garbled(desk, frame):
    for _ in desk.line:
        desk.theirs.take_ticket()

    with pytest.raises(ChannelGarbledError):
        desk.attempts.hear(frame)


def test_nothing_goes_in_bursts_until_the_runner_has_passed_over_what_was_recalled(desk):
    desk.theirs.take_ticket()
    desk.attempts.recall()
    desk.attempts.hear(done(1))

    before = desk.attempts.takes_bursts
    desk.attempts.add([SentAttempt(start(5))])
    desk.attempts.hear(done(5))

    assert (before, desk.attempts.takes_bursts) == (False, True)


def test_of_a_runner_that_says_nothing_more_only_the_first_may_have_begun(desk):
    for _ in desk.line:
        desk.theirs.take_ticket()
    desk.attempts.hear(done(1))

    desk.attempts.abandon()

    assert desk.recalled() == [3, 4]


def test_notes_wait_for_who_listens_and_belong_to_the_first_without_an_answer(desk):
    heard = []
    desk.attempts.hear([frames.EVENT, b"1", b'"a"'])
    desk.attempts.hear([frames.EVENT, b"2", b'"too early"'])
    desk.attempts.hear([frames.EVENT, b"0", b'"too late"'])

    class Listener:
        def hear(self, kind, payload):
            heard.append((kind, payload))

    desk.line[0].listen(Listener())
    desk.attempts.hear([frames.EVENT, b"1", b'"b"'])

    assert heard == [("event", b'"a"'), ("event", b'"b"')]
