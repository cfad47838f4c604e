"""WriteBuffer: whole frames in their order, and nobody waits before much is waiting."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ChannelClosedError
from runtime.processes.channel import Channel
from runtime.processes.write_buffer import WriteBuffer

MIB = 1024 * 1024


@pytest.fixture
def ends():
    left, right = socket.socketpair()
    with left, right:
        yield WriteBuffer(left, most_bytes=MIB), Channel(right), left


@given(frames=st.lists(st.lists(st.binary(max_size=100), max_size=5), min_size=1, max_size=2_000))
def test_frames_that_are_written_together_arrive_in_order(frames):
    left, right = socket.socketpair()
    with left, right:
        buffer, reader = WriteBuffer(left), Channel(right)
        for frame in frames:
            buffer.add(*frame)

        writer = threading.Thread(target=buffer.write_all)
        writer.start()
        arrived = [reader.receive(5) for _ in frames]
        writer.join()

    assert arrived == frames
    assert buffer.is_empty


def test_what_the_socket_does_not_take_waits_and_loses_nothing(ends):
    buffer, reader, _ = ends
    frames = [[b"%d" % n, bytes([n]) * 300_000] for n in range(10)]
    for frame in frames:
        buffer.add(*frame)
    assert not buffer.write()
    assert not buffer.is_empty

    writer = threading.Thread(target=buffer.write_all)
    writer.start()
    arrived = [reader.receive(5) for _ in frames]
    writer.join()

    assert arrived == frames
    assert buffer.is_empty


def test_whoever_adds_much_waits_until_the_other_end_reads(ends):
    buffer, reader, _ = ends
    for _ in range(3):
        buffer.add(bytes(MIB))
    waiting = threading.Thread(target=buffer.wait_for_room)
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    assert buffer.is_full

    while waiting.is_alive():
        with contextlib.suppress(TimeoutError):
            reader.receive(0.1)

    assert not buffer.is_full


def test_small_and_long_parts_are_told_alike(ends):
    buffer, reader, _ = ends
    buffer.add(b"log", b"1", b"")
    buffer.add(b"done", b"", bytes(70_000), b"x")
    buffer.add()

    writer = threading.Thread(target=buffer.write_all)
    writer.start()

    assert reader.receive(5) == [b"log", b"1", b""]
    assert reader.receive(5) == [b"done", b"", bytes(70_000), b"x"]
    assert reader.receive(5) == []
    writer.join()


def test_many_threads_write_whole_frames(ends):
    buffer, reader, _ = ends

    def write(name: bytes) -> None:
        for n in range(200):
            buffer.add(name, b"%d" % n, bytes(n * 10))
            buffer.write()
        buffer.write_all()

    threads = [threading.Thread(target=write, args=(b"%d" % n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    arrived = [reader.receive(5) for _ in range(1_000)]
    for thread in threads:
        thread.join()

    for name in (b"%d" % n for n in range(5)):
        assert [int(frame[1]) for frame in arrived if frame[0] == name] == list(range(200))


def test_a_finalizer_that_writes_in_the_middle_cuts_no_frame(ends):
    """Collecting garbage may run any code, in any line."""
    _, reader, sock = ends

    class Interrupting:
        """A socket in whose `sendmsg` something else is told."""

        def sendmsg(self, pieces: object, *rest: object) -> int:
            sent = sock.sendmsg([bytes(pieces[0])[:7]], *rest)
            if len(seen) < 3:
                seen.append(sent)
                buffer.add(b"inner", b"%d" % len(seen))
                buffer.write()
                buffer.wait_for_room()
            return sent

    seen: list[int] = []
    buffer = WriteBuffer(Interrupting())
    buffer.add(b"outer", b"1")
    buffer.write_all()

    assert [reader.receive(5) for _ in range(4)] == [
        [b"outer", b"1"], [b"inner", b"1"], [b"inner", b"2"], [b"inner", b"3"],
    ]  # fmt: skip


def test_the_end_of_the_other_side_is_told(ends):
    buffer, reader, _ = ends
    reader.close()
    buffer.add(b"x")

    with pytest.raises(ChannelClosedError):
        buffer.write()
