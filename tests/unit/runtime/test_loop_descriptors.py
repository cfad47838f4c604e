"""Readers and writers of a loop: called while there is something to do, and not once removed."""

from __future__ import annotations

import select
import socket

from runtime.loop import Loop


def test_a_writer_is_called_while_there_is_room_and_no_more_when_removed(loop: Loop, pair):
    ours, theirs = pair
    written = 0

    def write() -> None:
        nonlocal written
        written += ours.send(b"x" * 1_000)

    loop.add_writer(ours.fileno(), write)
    for _ in range(5_000):
        loop.turn(0)
    stuck_at = written
    loop.turn(0)
    assert written == stuck_at > 0, "it is full"

    while theirs in select.select([theirs], [], [], 0)[0]:
        theirs.recv(100_000)
    loop.turn(1)
    assert written > stuck_at

    loop.remove_writer(ours.fileno())
    stuck_at = written
    loop.turn(0)
    assert written == stuck_at


def test_a_descriptor_may_have_a_reader_and_a_writer_and_lose_each_alone(loop: Loop, pair):
    ours, theirs = pair
    called: set[str] = set()

    def read() -> None:
        ours.recv(10)
        called.add("read")

    loop.add_writer(ours.fileno(), lambda: called.add("write"))
    loop.add_reader(ours.fileno(), read)
    theirs.send(b"x")
    loop.turn(1)
    assert called == {"read", "write"}

    called.clear()
    loop.remove_writer(ours.fileno())
    theirs.send(b"x")
    loop.turn(1)
    assert called == {"read"}

    called.clear()
    loop.remove_reader(ours.fileno())
    loop.remove_reader(ours.fileno())
    loop.add_writer(ours.fileno(), lambda: called.add("write"))
    theirs.send(b"x")
    loop.turn(1)
    assert called == {"write"}


def test_what_a_reader_removes_is_not_called_in_the_same_turn(loop: Loop):
    pairs = [socket.socketpair() for _ in range(2)]
    called: list[int] = []

    def read(which: int) -> None:
        called.append(which)
        for ours, _ in pairs:
            loop.remove_reader(ours.fileno())

    for which, (ours, theirs) in enumerate(pairs):
        loop.add_reader(ours.fileno(), lambda which=which: read(which))
        theirs.send(b"x")
    loop.turn(1)
    loop.turn(0)

    assert len(called) == 1
    for ours, theirs in pairs:
        ours.close()
        theirs.close()
