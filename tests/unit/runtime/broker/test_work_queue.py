"""The queue between claims and threads: a quick thread is left alone, a waiting one replaced."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty

import pytest

from runtime.broker.work_queue import WorkQueue
from tests.support.waiting import eventually
from tests.unit.runtime.broker.crew import AheadOf, Crew, Named, hold_until, put


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew(WorkQueue(3, AheadOf(60)), 3)
    crew.start()
    yield crew
    crew.stop()


def test_a_quick_thread_takes_one_after_the_other_and_wakes_nobody(crew: Crew):
    go_on = threading.Event()
    put(crew.work_queue, hold_until(go_on))
    eventually(lambda: len(crew.took) == 1)

    for number in range(20):
        put(crew.work_queue, number)
    go_on.set()
    eventually(lambda: len(crew.took) == 21)

    assert [item for _, item in crew.took[1:]] == list(range(20))
    assert len({name for name, _ in crew.took}) == 1


@pytest.mark.parametrize(("takes_s", "woken"), [(0.0001, 1), (0.003, 2), (0.02, 3)])
def test_for_much_work_more_threads_are_woken_at_once(takes_s: float, woken: int):
    crew = Crew(WorkQueue(3, AheadOf(60, takes_s=takes_s)), 3)
    crew.start()
    go_on = threading.Event()

    put(crew.work_queue, *[hold_until(go_on)] * 4)
    left = len(crew.work_queue._waiting)

    go_on.set()
    crew.stop()
    assert left == 3 - woken
    assert len(crew.took) == 4


def test_where_a_thread_steps_aside_another_goes_on(crew: Crew):
    go_on = threading.Event()

    def wait_aside() -> None:
        crew.work_queue.step_aside()
        assert go_on.wait(5)

    put(crew.work_queue, wait_aside)
    put(crew.work_queue, "next")
    eventually(lambda: len(crew.took) == 2)

    assert crew.took[1][1] == "next"
    assert crew.took[0][0] != crew.took[1][0]
    go_on.set()


def test_what_lies_behind_a_thread_that_forgot_to_step_aside_is_looked_after(crew: Crew):
    go_on = threading.Event()
    put(crew.work_queue, hold_until(go_on))
    eventually(lambda: len(crew.took) == 1)
    put(crew.work_queue, "next")

    crew.work_queue.look_after()

    eventually(lambda: len(crew.took) == 2)
    go_on.set()


def test_who_finds_nothing_does_the_chores(crew: Crew):
    done = threading.Event()
    chores = [None]
    crew.work_queue.has_chores = lambda: bool(chores)

    def do_chores() -> None:
        if chores:
            chores.clear()
            done.set()

    crew.work_queue.do_chores = do_chores
    put(crew.work_queue, "last")

    assert done.wait(5)


def test_an_empty_queue_says_so_in_time():
    with pytest.raises(Empty):
        WorkQueue(1, AheadOf(0)).get(timeout=0.01)


def test_what_is_set_apart_goes_back_in_order_where_its_thread_steps_aside(crew: Crew):
    go_on = threading.Event()

    def wait_aside() -> None:
        crew.work_queue.set_apart(2)
        crew.work_queue.step_aside()
        assert go_on.wait(5)

    put(crew.work_queue, wait_aside, Named("b"), Named("c"), "d")
    eventually(lambda: len(crew.took) == 4)

    assert [item for _, item in crew.took[1:]] == ["b", "c", "d"]
    go_on.set()


def test_where_all_threads_are_at_work_what_lies_here_can_be_taken_back(crew: Crew):
    go_on = threading.Event()
    put(crew.work_queue, *[hold_until(go_on)] * 3)

    def are_all_at_work() -> bool:
        crew.work_queue.look_after()
        return len(crew.took) == 3

    eventually(are_all_at_work)
    put(crew.work_queue, "x", "y")

    assert not crew.work_queue.look_after()
    assert crew.work_queue.take_back() == ["x", "y"]
    go_on.set()


def test_who_steps_aside_with_nobody_to_go_on_does_the_chores_first(crew: Crew):
    done = []
    go_on = threading.Event()
    crew.work_queue.has_chores = lambda: not done
    crew.work_queue.do_chores = lambda: done.append(threading.current_thread().name)

    def wait_aside() -> None:
        crew.work_queue.step_aside()
        assert go_on.wait(5)

    put(crew.work_queue, wait_aside, wait_aside, wait_aside)
    eventually(lambda: done)

    go_on.set()
