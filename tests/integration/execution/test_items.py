"""Generators in both lanes: items are told while the function runs, and are bounded."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.execution.written import MAX_RESULT_BYTES, write
from tests.support.waiting import eventually

LANES = pytest.mark.parametrize("isolation", ["process", "thread"])


def items_told(bench):
    return [data for _, kind, data in bench.frames if kind == "item"]


@LANES
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_items_are_told_in_order_with_all_else_and_make_the_result(bench, isolation, kind):
    written = write(
        f"from penstock import Context\n"
        f"{kind} f(*, ctx: Context):\n"
        " for n in range(2):\n  print('line', n)\n  yield n\n  ctx.progress(n)\n",
        isolation=isolation,
    )

    outcome = bench.run(written)

    assert (outcome.status, outcome.result) == ("succeeded", b"[0,1]")
    kinds = [kind for kind, _ in itertools.groupby(kind for _, kind, _ in bench.frames)]
    assert kinds == ["log", "item", "progress"] * 2
    assert items_told(bench) == [b"0", b"1"]


@LANES
def test_items_come_before_the_function_ends(bench, isolation, tmp_path):
    go_on = tmp_path / "go_on"
    written = write(
        f"import os, time\ndef f():\n yield 1\n"
        f" while not os.path.exists({str(go_on)!r}): time.sleep(0.005)\n yield 2\n",
        isolation=isolation,
    )
    with ThreadPoolExecutor(1) as threads:
        outcome = threads.submit(bench.run, written)

        eventually(lambda: items_told(bench) == [b"1"])

        assert not outcome.done()
        go_on.touch()
        assert outcome.result(10).result == b"[1,2]"


@LANES
def test_a_generator_that_never_ends_ends_by_timeout(bench, isolation):
    written = write(
        "import time\ndef f():\n while True:\n  yield 1\n  time.sleep(0.01)",
        isolation=isolation,
        timeout_s=0.3,
    )

    outcome = bench.run(written)

    assert json.loads(outcome.error)["type"] == "timeout"
    assert items_told(bench)


@LANES
def test_more_items_than_a_result_holds_are_too_large(bench, isolation):
    written = write("def f():\n while True: yield 'x' * 1000", isolation=isolation)

    outcome = bench.run(written)

    error = json.loads(outcome.error)
    assert error["type"] == "result_too_large"
    assert f"at most {MAX_RESULT_BYTES}" in error["message"]
    assert sum(map(len, items_told(bench))) <= MAX_RESULT_BYTES


def test_a_runner_that_sends_more_items_than_it_may_is_not_believed(bench):
    written = write(
        """
        import gc
        from runtime.execution.runner_main import RunnerMain
        def f():
            [runner] = [o for o in gc.get_objects() if type(o) is RunnerMain]
            while True:
                runner._channel.send(b"item", b"%d" % runner._serial, b'"' + b"x" * 10_000 + b'"')
        """
    )

    assert bench.run(written).status == "lost"
    assert sum(map(len, items_told(bench))) <= MAX_RESULT_BYTES


@LANES
def test_one_that_is_cancelled_before_it_comes_here_never_begins(bench, isolation, tmp_path):
    written = write(f"def f(): open({str(tmp_path / 'ran')!r}, 'w').close()", isolation=isolation)

    outcome = bench.submit(written, is_cancelled=True).wait()

    assert outcome.status == "cancelled"
    assert bench.run(write("def f(): return 1", isolation=isolation)).result == b"1"
    assert not (tmp_path / "ran").exists()


@LANES
@pytest.mark.parametrize("pending_events", ["emit('x' * 300_000)", "progress(1, 2, 'x' * 300_000)"])
def test_what_is_too_long_to_be_told_is_an_error_where_it_is_told(bench, isolation, pending_events):
    written = write(
        f"from penstock import Context\ndef f(*, ctx: Context): ctx.{pending_events}",
        isolation=isolation,
    )

    error = json.loads(bench.run(written).error)

    assert (error["exception_type"], bench.frames) == ("ValueError", [])
    assert "at most 262144" in error["message"]
