"""SideChannel: each ticket is taken once, by one of both; what is said quietly is whole."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from runtime.errors import ChannelClosedError
from runtime.processes.channel import Channel
from runtime.processes.frames import pack, unpack_each
from runtime.processes.side_channel import QUIET_BYTES, ChildSideChannel, SideChannel


@pytest.fixture
def given():
    """The owner's side, and the channel over which the child is given its own."""
    left, right = socket.socketpair()
    owner, child = Channel(left), Channel(right)
    ways = SideChannel()
    ways.give(owner)
    yield ways, child
    ways.close()
    owner.close()
    child.close()


@pytest.fixture
def ends(given):
    ways, child = given
    theirs = ChildSideChannel.take(child)
    yield ways, theirs
    theirs.close()


def test_what_the_child_has_not_taken_comes_back_and_cannot_be_taken_any_more(ends):
    ways, theirs = ends
    ways.issue(5)

    taken = [theirs.take_ticket(), theirs.take_ticket()]

    assert taken == [True, True]
    assert ways.take_back() == 3
    assert not theirs.take_ticket()
    assert ways.take_back() == 0


def test_each_ticket_is_taken_once_however_both_hurry(ends):
    ways, theirs = ends
    for _ in range(200):
        ways.issue(16)
        taken: list[bool] = []
        child = threading.Thread(target=taken.extend, args=[iter(theirs.take_ticket, False)])
        child.start()

        back = ways.take_back()

        child.join()
        assert len(taken) + back == 16


def test_a_child_that_makes_its_end_wait_does_not_make_the_owner_wait(given):
    ways, child = given
    tickets, *others = child.receive_descriptors(3)
    os.set_blocking(tickets, True)

    assert ways.take_back() == 0

    for descriptor in (tickets, *others):
        os.close(descriptor)


def test_quiet_frames_are_whole_and_what_is_too_long_is_refused(ends):
    ways, theirs = ends

    said = [theirs.say(pack(b"done", b"%d" % n)) for n in range(10)]

    assert all(said)
    assert not theirs.say(b"x" * (QUIET_BYTES + 1))
    assert list(unpack_each(ways.listen())) == [[b"done", b"%d" % n] for n in range(10)]
    assert ways.listen() == b""


def test_a_full_quiet_way_refuses_and_keeps_what_it_has(ends):
    ways, theirs = ends
    frame = pack(b"x" * 1_000)

    count = 0
    while theirs.say(frame):
        count += 1

    assert 10 < count < 100
    assert len(list(unpack_each(ways.listen()))) == count


def test_ways_that_the_child_has_closed_are_told(ends):
    _, theirs = ends
    theirs.close()

    with pytest.raises(ChannelClosedError):
        theirs.say(b"x")
    with pytest.raises(ChannelClosedError):
        theirs.take_ticket()
