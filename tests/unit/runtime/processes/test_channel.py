"""Channel: whole frames or an error, whatever the other end sends."""

from __future__ import annotations

import socket
import struct
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ChannelClosedError, ChannelGarbledError, ChannelResetError
from runtime.processes.channel import Channel
from runtime.processes.frames import MAX_PARTS, pack, unpack_each
from tests.support.waiting import allowed

MIB = 1024 * 1024


@pytest.fixture
def pair():
    left, right = socket.socketpair()
    channels = Channel(left), Channel(right)
    yield channels
    for channel in channels:
        channel.close()


@pytest.fixture
def wire():
    """The other end of a channel as a socket, and the channel."""
    ours, theirs = socket.socketpair()
    with ours:
        channel = Channel(theirs)
        yield ours, channel
        channel.close()


@given(frames=st.lists(st.lists(st.binary(max_size=300), max_size=MAX_PARTS), max_size=20))
def test_frames_arrive_whole_and_in_order(frames):
    left, right = socket.socketpair()
    with left, right:
        sender, receiver = Channel(left), Channel(right)
        for frame in frames:
            sender.send(*frame)

        arrived = [receiver.receive(1) for _ in frames]

    assert arrived == frames


def test_frame_larger_than_the_socket_buffer_arrives(pair):
    left, right = pair
    parts = [b"a" * 5 * MIB, b"", b"b" * 3]
    sender = threading.Thread(target=left.send, args=parts)
    sender.start()

    arrived = right.receive(10)

    sender.join()
    assert arrived == parts


def test_frame_that_comes_byte_by_byte_survives_timeouts(wire):
    other, channel = wire
    data = pack(b"split", b"frame")

    for index in range(len(data) - 1):
        other.sendall(data[index : index + 1])
        with pytest.raises(TimeoutError):
            channel.receive(0.0001)
    other.sendall(data[-1:])

    assert channel.receive(1) == [b"split", b"frame"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello, world\n",
        struct.pack("!4sI", b"PSF1", MAX_PARTS + 1),
        struct.pack("!4sII", b"PSF1", 1, 0xFFFFFFFF),
        struct.pack("!4sIII", b"PSF1", 2, 0x7FFFFFFF, 0x7FFFFFFF),
    ],
)
def test_garbage_ends_the_channel_without_reading_on(wire, garbage):
    other, channel = wire
    other.sendall(garbage)

    with pytest.raises(ChannelGarbledError):
        channel.receive(1)


def test_closed_other_end_is_told_apart_from_one_that_did_not_read(pair):
    left, right = pair
    right.send(b"never read")
    left.close()

    with pytest.raises(ChannelResetError):
        right.receive(1)
    with pytest.raises(ChannelClosedError):
        right.send(b"x")


def test_a_limit_that_is_far_away_is_kept_too(pair):
    here, there = pair
    began_at = time.monotonic()

    with pytest.raises(TimeoutError):
        here.receive(1.1)
    took_s = time.monotonic() - began_at
    there.send(b"late")

    assert 1.1 <= took_s < allowed(2)
    assert here.receive(5) == [b"late"]


def test_frame_cut_short_is_a_closed_channel(wire):
    other, channel = wire
    other.sendall(struct.pack("!4sII", b"PSF1", 1, 100) + b"half")
    other.close()

    with pytest.raises(ChannelClosedError):
        channel.receive(1)


def test_sending_to_one_who_does_not_read_ends_in_time(pair):
    left, _ = pair

    with pytest.raises(TimeoutError):
        left.send(b"x" * 8 * MIB, timeout_s=0.05)


def test_threads_do_not_mix_their_frames(pair):
    left, right = pair
    frames = [bytes([65 + number]) * 100_000 for number in range(8)]
    threads = [threading.Thread(target=left.send, args=(frame, frame)) for frame in frames]
    for thread in threads:
        thread.start()

    arrived = [right.receive(10) for _ in frames]

    for thread in threads:
        thread.join()
    assert sorted(arrived) == [[frame, frame] for frame in frames]


def test_several_frames_sent_at_once_arrive_one_by_one_and_garbage_after_them(pair):
    left, right = pair
    frames = [[b"one"], [b"two", b"b" * 20_000], [b"three", b""]]

    left.sock.sendall(b"".join(pack(*frame) for frame in frames) + b"garbage!")

    assert [right.receive(1) for _ in frames] == frames
    with pytest.raises(ChannelGarbledError):
        right.receive(1)


def test_frames_before_garbage_are_yielded():
    frames = unpack_each(pack(b"one") + pack(b"two") + b"garbage!")

    found = [next(frames), next(frames)]

    assert found == [[b"one"], [b"two"]]
    with pytest.raises(ChannelGarbledError):
        next(frames)


@pytest.mark.parametrize("cut", range(1, len(pack(b"abc", b"de"))))
def test_a_frame_cut_short_is_garbled(cut):
    with pytest.raises(ChannelGarbledError):
        list(unpack_each(pack(b"abc", b"de")[:cut]))
