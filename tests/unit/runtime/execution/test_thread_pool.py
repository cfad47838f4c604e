"""ThreadPool: how many are woken, and when the loop thread is; nobody looks after them here."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from runtime.execution import thread_pool as module
from runtime.execution.assignment import Assignment
from runtime.execution.run_times import RunTimes
from runtime.execution.runner_protocol import RunnerLimits
from runtime.execution.thread_backend import ThreadBackend
from runtime.execution.thread_pool import ALONE_US, ThreadPool
from runtime.execution.thread_run import ThreadRun
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from tests.support.waiting import eventually

BUNDLE = Bundle(root="/srv", file="f.py", sources={"f.py": b""})
MANIFEST = Manifest(name="f", version=BUNDLE.version, file="f.py")
LIMITS = RunnerLimits(max_result_bytes=1, max_log_bytes=1)


def make_run(version: str, *, holds: bool = False, work_us: int = 0) -> ThreadRun:
    return ThreadRun(
        assignment=Assignment(id="i", function="f", version=version, attempt=1, arguments=b"{}"),
        manifest=MANIFEST,
        bundle=BUNDLE,
        limits=LIMITS,
        on_note=lambda *_: None,
        attempt=holds,
        work_us=work_us,
    )


class Lane:
    """Threads whose attempts wait for `go_on`, unless they are to end at once."""

    def __init__(self, size: int) -> None:
        self.begun: list[ThreadRun] = []
        self._runs: list[ThreadRun] = []
        self._before = set(threading.enumerate())
        self.reported: list[int] = []  # how many had ended each time the loop thread was woken
        self.go_on = threading.Event()
        self.threads = ThreadPool(size, perform=self._perform, has_ended=self._note, idle_s=10)

    def put(self, count: int, *, work_us: int = 10, holds: bool = False) -> list[ThreadRun]:
        runs = [make_run("v", holds=holds, work_us=work_us) for _ in range(count)]
        for run in runs:
            run.is_quick = work_us < ALONE_US
            self._runs.append(run)
            self.threads.put(run)
        return runs

    def started(self) -> int:
        """Return how many threads there are since this was made."""
        return len(set(threading.enumerate()) - self._before)

    def _perform(self, run: ThreadRun, _thread_id: object) -> None:
        self.begun.append(run)
        if run.attempt:
            self.go_on.wait(10)

    def _note(self) -> None:
        self.reported.append(sum(run.is_over for run in self._runs))


@pytest.fixture
def make_lane():
    made: list[Lane] = []

    def make(size: int = 4) -> Lane:
        made.append(Lane(size))
        return made[-1]

    yield make
    for lane in made:
        lane.go_on.set()
        lane.threads.stop()


def test_little_work_wakes_one_thread(make_lane):
    lane = make_lane()

    lane.put(20, holds=True)

    eventually(lambda: lane.begun)
    assert lane.started() == 1


def test_more_work_than_one_thread_is_left_with_wakes_more(make_lane):
    lane = make_lane()

    lane.put(20, work_us=900, holds=True)  # 18 ms

    eventually(lambda: len(lane.begun) == 3)
    assert lane.started() == 3


def test_whoever_runs_something_slow_does_not_count_for_what_comes_after(make_lane):
    lane = make_lane()
    lane.put(1, work_us=ALONE_US, holds=True)
    eventually(lambda: lane.begun)

    quick = lane.put(1)

    eventually(lambda: quick[0] in lane.begun)


def test_the_loop_thread_is_woken_once_when_nothing_is_left_to_run(make_lane, monkeypatch):
    monkeypatch.setattr(module, "_LONGEST_GATHERING_S", 60)
    lane = make_lane(1)
    lane.put(1, holds=True)
    eventually(lambda: lane.begun)
    lane.put(19)

    lane.go_on.set()

    eventually(lambda: lane.reported)
    assert lane.reported == [20]
    assert len(lane.threads.take_ended()) == 20


def test_the_loop_thread_is_woken_when_many_have_ended_and_not_again_until_it_took_them(
    make_lane, monkeypatch
):
    monkeypatch.setattr(module, "_LONGEST_GATHERING_S", 60)
    lane = make_lane(1)
    lane.put(1, holds=True)
    eventually(lambda: lane.begun)
    runs = lane.put(99)

    lane.go_on.set()

    eventually(lambda: runs[-1].is_over)
    assert lane.reported == [32]


def test_the_loop_thread_is_woken_when_the_first_has_waited_for_a_while(make_lane, monkeypatch):
    monkeypatch.setattr(module, "_LONGEST_GATHERING_S", 0)
    lane = make_lane(1)
    lane.put(1, holds=True)
    eventually(lambda: lane.begun)
    lane.put(9)

    lane.go_on.set()

    eventually(lambda: lane.reported)
    assert lane.reported == [1]


@pytest.mark.parametrize("is_first", [True, False])
def test_the_loop_thread_is_woken_before_and_after_something_slow(
    make_lane, monkeypatch, is_first: bool
):
    monkeypatch.setattr(module, "_LONGEST_GATHERING_S", 60)
    lane = make_lane(1)
    lane.put(1, holds=True)
    eventually(lambda: lane.begun)
    if is_first:
        lane.put(1, work_us=ALONE_US)
        lane.put(3)
    else:
        lane.put(3)
        lane.put(1, work_us=ALONE_US)

    lane.go_on.set()

    eventually(lambda: lane.reported)
    assert lane.reported == [1 if is_first else 4]


def test_stopped_threads_end_and_begin_nothing_more(make_lane):
    lane = make_lane(1)
    lane.put(1, holds=True)
    eventually(lambda: lane.begun)
    [waiting] = lane.put(1)
    threads = [one for one in threading.enumerate() if one.name == "lane"]

    lane.threads.stop()
    lane.threads.stop()
    lane.go_on.set()

    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert waiting not in lane.begun


def test_the_work_of_an_attempt_is_the_mean_run_time_of_its_function(monkeypatch):
    run_times = RunTimes()
    for _ in range(100):
        run_times.note("f", "v", 0.0002)
    lane = ThreadBackend(
        4,
        post=lambda _: None,
        call_later=lambda _s, _act: SimpleNamespace(cancel=lambda: None),
        on_ended=lambda _: None,
        run_times=run_times,
    )
    handed: list[ThreadRun] = []
    monkeypatch.setattr(ThreadPool, "put", lambda _, run: handed.append(run))

    lane.submit(make_run("v"))
    lane.submit(make_run("not known"))

    assert [(run.is_quick, run.work_us) for run in handed] == [(True, 201), (False, ALONE_US)]
