"""Streams on a loop: who does not read, closes or breaks, disturbs his own stream only."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from runtime.buffered_socket import Stream
from runtime.loop import Loop
from tests.support.loop_thread import turn_for, turn_until
from tests.support.waiting import allowed

LARGE = bytes(range(256)) * 40_000


@dataclass
class End:
    """One end of a connection as a stream, and the other as a socket."""

    stream: Stream
    peer: socket.socket
    data: list[bytes] = field(default_factory=list)
    closed: list[OSError | None] = field(default_factory=list)
    then: Callable[[], object] = lambda: None  # after each that it is told

    @property
    def text(self) -> bytes:
        return b"".join(self.data)

    def read_some(self, most: int = 65_536) -> bytes:
        try:
            return self.peer.recv(most)
        except BlockingIOError:
            return b""


@pytest.fixture
def connect(loop: Loop) -> Iterator[Callable[[], End]]:
    """Make connections over loopback."""
    made: list[End] = []
    server = socket.create_server(("127.0.0.1", 0))

    def make() -> End:
        ours = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
        peer.setblocking(False)
        end: End

        def on_data(data: bytes) -> None:
            end.data.append(data)
            end.then()

        def on_closed(error: OSError | None) -> None:
            end.closed.append(error)
            end.then()

        end = End(Stream(loop, ours, on_data=on_data, on_closed=on_closed), peer)
        made.append(end)
        return end

    yield make
    for end in made:
        end.stream.close()
        end.peer.close()
    server.close()


def test_a_slow_reader_stops_its_own_stream_only_and_gets_all_in_order(loop: Loop, connect):
    slow, quick = connect(), connect()
    slow.stream.write(LARGE)
    slow.stream.write(b"small")
    slow.stream.write(LARGE)
    assert slow.stream.unsent

    quick.stream.write(b"hello")
    turn_until(loop, lambda: quick.read_some() == b"hello")
    quick.peer.send(b"answer")
    turn_until(loop, lambda: quick.text == b"answer")
    lag = loop.take_lag()
    turn_for(loop, 0.05)
    assert loop.take_lag().turns < 5, "a stream that takes nothing is not asked again and again"
    assert lag.max_s < allowed(1)

    received = bytearray()

    def is_all() -> bool:
        while some := slow.read_some(1_000_000):
            received.extend(some)
        return len(received) == 2 * len(LARGE) + 5

    turn_until(loop, is_all)
    assert bytes(received) == LARGE + b"small" + LARGE
    turn_until(loop, lambda: not slow.stream.unsent)


def test_what_comes_is_passed_on_whole_and_in_order(loop: Loop, connect):
    end = connect()
    end.peer.setblocking(True)
    left = memoryview(LARGE)
    while left:
        left = left[end.peer.send(left[:200_000]) :]
        loop.turn(0.01)

    turn_until(loop, lambda: len(end.text) == len(LARGE))

    assert end.text == LARGE
    assert end.closed == []


def test_the_end_of_the_other_side_is_told_once_after_all_that_it_sent(loop: Loop, connect):
    end = connect()
    told_at: list[int] = []
    end.then = lambda: end.closed and told_at.append(len(end.text))
    end.peer.send(b"last words")
    end.peer.close()

    turn_until(loop, lambda: told_at)
    turn_for(loop, 0.02)

    assert told_at == [len(b"last words")]
    assert end.stream.is_closed


def test_a_reset_is_told_with_its_error(loop: Loop, connect):
    end = connect()
    end.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.peer.close()

    turn_until(loop, lambda: end.closed)

    assert isinstance(end.closed[0], ConnectionResetError)


def test_writing_to_who_has_gone_tells_so_after_the_write_has_returned(loop: Loop, connect):
    end = connect()
    end.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.peer.close()
    turn = 0
    while not end.closed and turn < 100:  # its loop has not read of the reset yet
        end.stream.write(b"x")
        end.stream.write(LARGE)
        assert end.closed == [] or turn
        loop.turn(0.01)
        turn += 1

    assert len(end.closed) == 1
    end.stream.write(b"nobody hears this")
    turn_for(loop, 0.02)
    assert len(end.closed) == 1


def test_who_closes_hears_nothing_more_and_may_do_so_while_data_is_passed_on(loop: Loop, connect):
    end = connect()
    end.then = end.stream.close
    end.peer.send(b"one")
    turn_until(loop, lambda: end.data)
    with contextlib.suppress(ConnectionError):
        end.peer.send(b"two")
    turn_for(loop, 0.02)

    assert end.text == b"one"
    assert end.closed == []
    end.stream.close()
    end.stream.finish()
    end.stream.pause()
    end.stream.resume()


def test_a_stream_may_be_closed_and_another_opened_when_it_is_told_of_the_end(loop: Loop, connect):
    first = connect()
    opened: list[End] = []

    def reopen() -> None:
        first.stream.close()
        opened.append(connect())  # likely on the descriptor that has just been freed

    first.then = reopen
    first.peer.close()
    turn_until(loop, lambda: opened)
    opened[0].peer.send(b"again")

    turn_until(loop, lambda: opened[0].text == b"again")


def test_half_a_connection_is_closed_and_the_answer_still_comes(loop: Loop, connect):
    end = connect()
    end.stream.write(b"question")
    end.stream.finish()
    received: list[bytes] = []

    turn_until(loop, lambda: received.append(end.read_some()) or b"question" in received)
    assert end.peer.recv(10) == b"", "nothing more will come"
    end.peer.send(b"answer")
    turn_until(loop, lambda: end.text == b"answer")
    assert end.closed == []
    end.peer.close()
    turn_until(loop, lambda: end.closed == [None])


def test_while_a_stream_is_paused_the_other_end_has_to_wait(loop: Loop, connect):
    end = connect()
    end.stream.pause()
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += end.peer.send(LARGE[:100_000])
    turn_for(loop, 0.02)
    assert end.data == []

    end.stream.resume()

    turn_until(loop, lambda: len(end.text) == sent)


def test_what_lies_there_is_passed_on_now_and_an_end_is_told(loop: Loop, connect):
    end = connect()
    end.peer.send(b"a" * 100_000)
    end.peer.close()

    turn_until(loop, lambda: end.stream.read_now() or len(end.text) == 100_000)
    end.stream.read_now()

    assert end.closed == [None]
    end.stream.read_now()
    assert len(end.closed) == 1
