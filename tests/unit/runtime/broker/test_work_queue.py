"""The queue between claims and threads: a quick thread is left alone, a waiting one replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Empty

import pytest

from runtime.broker.work_queue import WorkQueue
from tests.support.waiting import eventually


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
    crew = Crew(WorkQueue(), 3)
    crew.start()
    yield crew
    crew.stop()


def hold_until(event: threading.Event) -> Callable[[], None]:
    def hold() -> None:
        assert event.wait(5)

    return hold


def test_a_quick_thread_takes_one_after_the_other_and_wakes_nobody(crew: Crew):
    go_on = threading.Event()
    crew.work_queue.put(hold_until(go_on))
    eventually(lambda: len(crew.took) == 1)

    for number in range(20):
        crew.work_queue.put(number)
    go_on.set()
    eventually(lambda: len(crew.took) == 21)

    assert [item for _, item in crew.took[1:]] == list(range(20))
    assert len({name for name, _ in crew.took}) == 1


def test_where_a_thread_steps_aside_another_goes_on(crew: Crew):
    go_on = threading.Event()

    def wait_aside() -> None:
        crew.work_queue.step_aside()
        assert go_on.wait(5)

    crew.work_queue.put(wait_aside)
    crew.work_queue.put("next")
    eventually(lambda: len(crew.took) == 2)

    assert crew.took[1][1] == "next"
    assert crew.took[0][0] != crew.took[1][0]
    go_on.set()


def test_what_lies_behind_a_thread_that_forgot_to_step_aside_is_looked_after(crew: Crew):
    go_on = threading.Event()
    crew.work_queue.put(hold_until(go_on))
    eventually(lambda: len(crew.took) == 1)
    crew.work_queue.put("next")

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
    crew.work_queue.put("last")

    assert done.wait(5)


def test_an_empty_queue_says_so_in_time():
    with pytest.raises(Empty):
        WorkQueue().get(timeout=0.01)
