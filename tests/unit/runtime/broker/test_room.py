"""Room for claims, and what is set apart for one thread."""

from __future__ import annotations

import threading
from queue import Empty

import pytest

from runtime.broker.work_queue import Room, WorkQueue
from tests.support.waiting import eventually
from tests.unit.runtime.broker.crew import AheadOf, Named, put


def test_room_is_what_threads_are_free_for_and_what_is_worth_taking_ahead():
    work_queue = WorkQueue(8, AheadOf(20))

    assert work_queue.reserve(timeout_s=0) == Room(8, 20)
    assert work_queue.reserve(timeout_s=0) is None  # until it is filled


def test_a_claim_that_brought_less_leaves_the_rest_of_its_room():
    work_queue = WorkQueue(8, AheadOf(0))
    room = work_queue.reserve(timeout_s=0)

    work_queue.fill(room, ["a", "b", "c"])

    assert work_queue.reserve(timeout_s=0) == Room(5, 0)


def test_what_was_taken_ahead_is_claimed_again_when_half_of_it_is_gone():
    work_queue = WorkQueue(2, AheadOf(8))
    room = work_queue.reserve(timeout_s=0)
    work_queue.fill(room, range(10))

    rooms = []
    for _ in range(5):
        work_queue.get(timeout=0)
        rooms.append(work_queue.reserve(timeout_s=0))

    assert rooms == [None, None, None, None, Room(0, 4)]


def test_nothing_is_taken_ahead_while_another_queue_waits_for_room():
    work_queue = WorkQueue(1, AheadOf(8))
    work_queue.fill(work_queue.reserve(timeout_s=0), range(9))
    rooms = []

    def claim_for_other() -> None:
        rooms.append(work_queue.reserve(timeout_s=5))

    other = threading.Thread(target=claim_for_other)
    other.start()
    eventually(lambda: work_queue._claimers == 1)
    for _ in range(8):
        work_queue.get(timeout=0)

    assert work_queue.reserve(timeout_s=0) is None
    work_queue.get(timeout=0)
    with pytest.raises(Empty):
        work_queue.get(timeout=0)
    other.join(5)
    assert rooms
    assert rooms[0].places == 1


def test_what_is_set_apart_for_a_thread_is_its_next_work():
    work_queue = WorkQueue(1, AheadOf(8))
    put(work_queue, *"abcd")

    assert work_queue.get(timeout=0) == "a"
    assert list(work_queue.set_apart(2)) == ["b", "c"]
    assert work_queue.get_nowait() == "d"
    assert not work_queue.is_empty()
    assert [work_queue.get(timeout=0) for _ in range(2)] == ["b", "c"]
    assert work_queue.is_empty()


def test_what_only_its_thread_can_go_on_with_stays_with_it():
    work_queue = WorkQueue(2, AheadOf(8))
    work_queue.let_go = lambda: ("b",)
    put(work_queue, *map(Named, "abcd"))
    work_queue.get(timeout=0)
    work_queue.set_apart(2)

    work_queue.step_aside()

    assert work_queue.get_nowait() == "c"
    assert work_queue.get(timeout=0) == "b"


def test_what_is_set_apart_by_a_thread_that_has_stepped_aside_goes_back_all_the_same():
    work_queue = WorkQueue(2, AheadOf(8))
    put(work_queue, *map(Named, "abc"))
    work_queue.get(timeout=0)
    work_queue.step_aside()
    work_queue.set_apart(2)

    work_queue.step_aside()

    assert work_queue.take_back() == ["b", "c"]


def test_only_what_may_follow_is_set_apart():
    work_queue = WorkQueue(2, AheadOf(8))
    put(work_queue, *"abxc")
    work_queue.get(timeout=0)

    assert list(work_queue.set_apart(3, lambda item: item != "x")) == ["b"]


def test_who_has_found_nothing_to_take_ahead_waits_for_a_place():
    work_queue = WorkQueue(1, AheadOf(8))
    put(work_queue, "a")

    assert work_queue.reserve(timeout_s=0, goes_ahead=False) is None
    assert work_queue.reserve(timeout_s=0) == Room(0, 8)
