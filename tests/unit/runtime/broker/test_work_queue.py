"""The queue between claims and threads: a quick thread is left alone, a waiting one replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Empty

import pytest

from runtime.broker.foresight import Foresight
from runtime.broker.work_queue import Room, WorkQueue
from tests.support.waiting import eventually


class Named(str):
    """Something that can be told apart by its id, as attempts can."""

    __slots__ = ()

    @property
    def claimed(self) -> Named:
        return self

    @property
    def id(self) -> str:
        return str(self)


class AheadOf(Foresight):
    """As if so many calls were worth taking ahead."""

    def __init__(self, ahead: int, *, takes_s: float = 0.0) -> None:
        super().__init__()
        self._so_many = ahead
        self._takes_s = takes_s

    def ahead(self) -> int:
        return self._so_many

    def takes_s(self, _: object) -> float:
        return self._takes_s


def put(work_queue: WorkQueue, *items: object) -> None:
    room = work_queue.reserve(timeout_s=5)
    assert room is not None
    work_queue.fill(room, items)


class Crew:
    """Threads that take from a queue; what each took is noted."""

    def __init__(self, work_queue: WorkQueue, size: int) -> None:
        self.work_queue = work_queue
        self.took: list[tuple[str, object]] = []
        self._stopping = False
        self._threads = [threading.Thread(target=self._work, name=f"t{n}") for n in range(size)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        eventually(lambda: len(self.work_queue._waiting) == len(self._threads))

    def stop(self) -> None:
        eventually(self.work_queue.is_empty)
        self._stopping = True
        for thread in self._threads:
            thread.join(5)

    def _work(self) -> None:
        while not self._stopping:
            try:
                item = self.work_queue.get(timeout=0.05)
            except Empty:
                continue
            self.took.append((threading.current_thread().name, item))
            if callable(item):
                item()


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew(WorkQueue(3, AheadOf(60)), 3)
    crew.start()
    yield crew
    crew.stop()


def hold_until(event: threading.Event) -> Callable[[], None]:
    def hold() -> None:
        assert event.wait(5)

    return hold


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


def test_what_only_its_thread_can_go_on_with_stays_with_it():
    work_queue = WorkQueue(2, AheadOf(8))
    work_queue.let_go = lambda: ("b",)
    put(work_queue, *map(Named, "abcd"))
    work_queue.get(timeout=0)
    work_queue.set_apart(2)

    work_queue.step_aside()

    assert work_queue.get_nowait() == "c"
    assert work_queue.get(timeout=0) == "b"


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
