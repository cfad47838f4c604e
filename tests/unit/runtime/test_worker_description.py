"""What a worker tells of itself is what the gateway reads, and stays short."""

from __future__ import annotations

import os

from gateway.live.worker_details import read_details
from runtime.store.system_commands import WorkerState
from runtime.worker.description import (
    MOST_RUNNING,
    LoopLag,
    RunnerLoad,
    RunnerWait,
    RunningAttempt,
    WorkerLoad,
    describe_worker,
)

FOLDER = {"folder": "/functions", "state": "differs", "files": 3, "digest": "0", "differing": ["a"]}


def describe_load(load: WorkerLoad, *running: RunningAttempt) -> bytes:
    return describe_worker(
        queues=("b", "a"),
        running=running,
        load=load,
        publishes=True,
        functions=FOLDER,
        memory_bytes=1_000,
    )


def read_description(details: bytes):
    return read_details(WorkerState(id="w", details=details, started_at_ms=0, last_seen_at_ms=0))


def test_the_gateway_reads_everything_that_a_worker_tells():
    runner = RunnerLoad(pid=8, function="f", version="v1", in_flight=37, window=100)
    load = WorkerLoad(
        in_flight=40,
        max_in_flight=1000,
        runners=(runner,),
        loop=LoopLag(lag_ms_max=12.5, lag_ms_mean=0.5),
        runner_wait=RunnerWait(count=3, sum_s=1.5),
    )

    reported = read_description(
        describe_load(load, RunningAttempt(id="i", function="f", started_at_ms=7))
    )

    [shown] = reported.runners
    assert (shown.pid, shown.function, shown.version) == (8, "f", "v1")
    assert (shown.in_flight, shown.window) == (37, 100)
    assert (reported.held, reported.max_in_flight, reported.pid) == (40, 1000, os.getpid())
    assert (reported.loop.lag_ms_max, reported.loop.lag_ms_mean) == (12.5, 0.5)
    assert (reported.runner_wait.count, reported.runner_wait.sum_s) == (3, 1.5)
    assert (reported.queues, reported.publishes, reported.functions.state) == (
        ("a", "b"),
        True,
        "differs",
    )
    assert reported.memory_bytes > 0


def test_of_what_runs_the_oldest_are_told_however_much_it_is():
    running = [RunningAttempt(id=f"{n}", function="f", started_at_ms=n) for n in range(3000, 0, -1)]

    details = describe_load(WorkerLoad(in_flight=3000, max_in_flight=5000), *running)

    reported = read_description(details)
    assert [one.started_at_ms for one in reported.running] == list(range(1, MOST_RUNNING + 1))
    assert reported.held == 3000
    assert len(details) < 10_000
