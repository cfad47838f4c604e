"""isolation="thread": the same endings without a process, and interruption that stays in bounds."""

from __future__ import annotations

import gc
import logging
import sys
import time
import weakref
from collections.abc import Callable

import pytest

from tests.integration.execution.bench import error_of, logs_of, outcome_of
from tests.integration.execution.thread_bench import LaneBench, lane_threads, threaded
from tests.integration.execution.written import MAX_LOG_BYTES, MAX_RESULT_BYTES
from tests.support.waiting import allowed, eventually

# Functions of the lane run in this process, and note themselves here.
LOADED: weakref.WeakSet[Callable[..., object]] = weakref.WeakSet()


@pytest.fixture
def bench():
    started = LaneBench()
    yield started
    started.stop()


def test_function_runs_in_a_thread_of_the_lane(bench):
    outcome = bench.run(threaded("import threading\ndef f(): return threading.get_ident()"))

    assert int(outcome.result) in {thread.ident for thread in lane_threads()}


def test_a_version_is_loaded_once_and_versions_do_not_mix(bench):
    source = "count = 0\ndef f():\n global count\n count += 1\n return count"
    old, new = threaded(source), threaded(source + " * 100")

    results = [bench.run(written).result for written in (old, new, old, new)]

    assert results == [b"1", b"100", b"2", b"200"]


def test_many_versions_of_a_file_are_not_all_kept(bench):
    source = f"from {__name__} import LOADED\ndef f(): return {{}}\nLOADED.add(f)"
    for number in range(8):
        assert bench.run(threaded(source.format(number))).result == b"%d" % number

    gc.collect()
    assert len(LOADED) == 3
    assert bench.run(threaded(source.format(0))).result == b"0"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("1 / 0", "exception"),
        ("raise KeyboardInterrupt", "exception"),
        ("import sys; sys.exit(3)", "exited"),
        ("from penstock import Reject; raise Reject('no')", "rejected"),
        ("raise MemoryError", "out_of_memory"),
        ("return object()", "result_not_serializable"),
        (f"return 'x' * {MAX_RESULT_BYTES}", "result_too_large"),
        ("while True: pass", "timeout"),
        ("import time\n while True: time.sleep(0.01)", "timeout"),
    ],
)
def test_endings_are_those_of_a_process(bench, body, kind):
    error = error_of(bench.run(threaded(f"def f():\n {body}", timeout_s=0.3)))

    assert error["type"] == kind


@pytest.mark.parametrize(
    "body",
    [
        "try:\n  while True: pass\n except BaseException: return 'swallowed'",
        "import time; time.sleep(0.5); return 'late'",
    ],
)
def test_function_that_does_not_yield_is_a_timeout_once_it_returns(bench, body):
    error = error_of(bench.run(threaded(f"def f():\n {body}", timeout_s=0.2)))

    assert error["type"] == "timeout"


# An interrupt that comes while a weak reference is removed is told to nobody.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "body",
    [
        "await asyncio.sleep(100)",
        "yield 1; await asyncio.sleep(100)",
        "try: await asyncio.sleep(100)\n except BaseException: pass",
    ],
)
def test_async_function_that_waits_is_out_of_time(bench, body):
    source = f"import asyncio\nasync def f():\n {body}"
    begun = time.monotonic()

    for timeout_s in (0.1, 0.5):  # on either side of how often the watchdog looks
        error = error_of(bench.run(threaded(source, timeout_s=timeout_s)))
        assert error["type"] == "timeout"
        assert error["message"] == f"ran longer than {timeout_s} s"

    assert time.monotonic() - begun < allowed(3)


def test_nothing_of_a_call_out_of_time_runs_in_the_next_one(bench):
    written = threaded(
        """
        import asyncio
        ended = []
        async def f(wait: bool):
            before = len(ended)
            try:
                await asyncio.sleep(100 if wait else 0.05)
            finally:
                ended.append(wait)
            return ended[before:]
        """,
        timeout_s=1.5,
    )

    for _ in range(3):
        assert error_of(bench.run(written, b'{"wait":true}'))["type"] == "timeout"
        assert bench.run(written, b'{"wait":false}').result == b"[false]"


def test_timeout_of_the_function_s_own_is_its_exception(bench):
    error = error_of(bench.run(threaded("async def f(): raise TimeoutError('mine')")))

    assert (error["type"], error["message"]) == ("exception", "mine")


def test_file_that_does_not_load_fails(bench):
    error = error_of(bench.run(threaded("import no_such_module\ndef f(): pass")))

    assert error["exception_type"] == "LoadError"


def test_output_is_told_apart_by_attempt(bench):
    written = threaded(
        """
        import logging, sys, threading
        both = threading.Barrier(2)
        async def shout(n): print("async", n)
        def f(n: int):
            both.wait(5)
            print("out", n)
            both.wait(5)
            print("err", n, file=sys.stderr)
            logging.info("log %d", n)
        """
    )
    runs = [bench.make(written, b'{"n": %d}' % n, id=str(n)) for n in range(2)]
    bench.submit(runs)
    bench.wait(*runs)

    assert [logs_of(run) for run in runs] == [
        b"out %d\nerr %d\nINFO root: log %d\n" % (n, n, n) for n in range(2)
    ]


def test_output_of_async_functions_is_captured(bench):
    written = threaded(
        """
        import asyncio
        async def shout(): print("from an async child")
        async def f(): await asyncio.gather(shout(), shout())
        """
    )

    assert [bench.run(written).logs for _ in range(2)] == [b"from an async child\n" * 2] * 2


def test_the_worker_s_own_output_is_left_alone(bench, capsys):
    bench.run(threaded("def f(): print('inside')"))

    sys.stdout.write("outside\n")
    sys.stderr.write("outside too\n")

    assert capsys.readouterr().out == "outside\n"


def test_streams_and_loggers_are_given_back(bench):
    before = sys.stdout, sys.stderr, list(logging.root.handlers), logging.root.level
    bench.run(threaded("def f(): print('x')"))
    assert sys.stdout is not before[0]

    bench.on_loop(bench.lane.stop)

    assert (sys.stdout, sys.stderr, logging.root.handlers, logging.root.level) == before


def test_print_flood_is_cut(bench):
    outcome = bench.run(threaded("def f():\n for n in range(100_000): print('line', n)"))

    assert MAX_LOG_BYTES < len(outcome.logs) < MAX_LOG_BYTES + 100


def test_progress_and_events_are_told(bench):
    bench.run(
        threaded(
            "from penstock import Context\n"
            "def f(*, ctx: Context): ctx.progress(1, 2); ctx.emit([ctx.id])"
        )
    )

    assert bench.frames == [
        ("i1", "progress", b'{"done":1,"total":2,"message":""}'),
        ("i1", "event", b'["i1"]'),
    ]


def test_cancel_reaches_the_context_and_interrupts(bench):
    written = threaded(
        """
        from penstock import Context
        def f(*, ctx: Context):
            try:
                ctx.emit("on")
                while True: pass
            finally:
                ctx.emit(ctx.cancelled)
        """
    )
    run = bench.submit_one(written)
    eventually(lambda: bench.frames)

    assert bench.cancel(run)

    bench.wait(run)
    assert outcome_of(run).status == "cancelled"
    assert bench.frames[-1] == ("i1", "event", b"true")
