"""Runners that many share make way for others, but not where that helps nobody."""

from __future__ import annotations

import time

import pytest

from tests.integration.execution.at_once import driven, wait
from tests.integration.execution.bench import kinds
from tests.integration.execution.written import write
from tests.support.waiting import allowed, eventually

OTHER = "from penstock import function\n@function\ndef f(): return {}"


def states(bench):
    return [runner.state for runner in bench.runners()]


def test_a_closed_runner_that_is_long_in_use_keeps_no_idle_one_in_its_place(make_bench):
    bench = make_bench(size=2)
    long = bench.submit(driven(), b'{"code": "await asyncio.sleep(4)"}', id="long")
    assert eventually(lambda: states(bench) == ["running"])
    assert bench.run(write(OTHER.format(1), file="g.py"), id="g").result == b"1"
    leave = "threading.Thread(target=time.sleep, args=(30,), daemon=True).start()"
    bench.run(driven(), b'{"code": "%s"}' % leave.encode(), id="leaver")
    assert states(bench) == ["closed", "idle"]
    began_at = time.monotonic()

    third = bench.submit(write(OTHER.format(2), file="h.py"), id="third")

    assert third.wait(10).result == b"2"
    assert time.monotonic() - began_at < allowed(2)
    assert not long.is_over.is_set()


def test_runners_of_long_attempts_are_not_closed_for_others_for_long(make_bench):
    bench = make_bench(size=2)
    first, second = driven("sleep"), driven("wait")
    long = [bench.submit(first, b'{"s": 8}', id="first"), bench.submit(second, id="second")]
    assert eventually(lambda: states(bench) == ["running"] * 2)
    bench.gives_again = False
    assert bench.do(bench.executor.capacity)[0] == 1

    other = bench.submit(write(OTHER.format(1)), id="other")

    assert eventually(lambda: "closed" in states(bench))
    assert other.is_over.wait(4)
    assert other.returned == 1
    assert eventually(lambda: states(bench) == ["running"] * 2)
    assert bench.do(bench.executor.capacity)[0] == 0
    bench.submit(write(OTHER.format(1)), id="another").is_over.wait(2)
    assert states(bench) == ["running"] * 2
    assert bench.run(first, b'{"s": 0}', id="short").status == "succeeded"
    assert not long[0].is_over.is_set()


def test_a_runner_is_opened_again_when_who_waits_is_cancelled(make_bench):
    bench = make_bench(size=1)
    shared = driven("sleep")
    long = bench.submit(shared, b'{"s": 1.5}', id="long")
    assert eventually(lambda: states(bench) == ["running"])
    other = bench.submit(write(OTHER.format(1)), id="other")
    assert eventually(lambda: states(bench) == ["closed"])

    bench.cancel(other)

    assert eventually(lambda: states(bench) == ["running"])
    assert bench.run(shared, b'{"s": 0}', id="short").status == "succeeded"
    assert not long.is_over.is_set()
    assert kinds(wait([long])) == ["succeeded"]


def test_runners_of_an_old_version_are_no_room_for_the_new_one(make_bench):
    bench = make_bench(size=3)
    source = "import asyncio\nasync def f(s: float): await asyncio.sleep(s)\n"
    old, new = (write(source + note, per_process=10) for note in ("", "# changed"))
    bench.submit(old, b'{"s": 9}', id="old")
    assert eventually(lambda: states(bench) == ["running"])
    assert bench.do(bench.executor.capacity)[1] == {"f": 9}

    bench.submit(new, b'{"s": 9}', id="new")
    bench.submit(new, b'{"s": 9}', id="newer")

    assert eventually(lambda: states(bench) == ["running"] * 2)
    assert bench.do(bench.executor.capacity)[1] == {"f": 8}


@pytest.mark.parametrize("per_process", [1, 100])
def test_what_has_ended_unread_when_a_drain_is_over_has_ended(make_bench, per_process):
    bench = make_bench(size=1)
    written = write("import time\ndef f(s: float): time.sleep(s)", per_process=per_process)
    bench.run(written, b'{"s": 0}')
    attempt = bench.submit(written, b'{"s": 0.2}', id="ending")
    assert eventually(lambda: attempt.run.serial)

    def end_drain():
        time.sleep(0.5)  # it ends meanwhile, and nobody reads that
        assert attempt.run.ending is None
        bench.executor.return_unstarted()
        bench.executor.cancel(attempt.run)

    bench.do(end_drain)

    assert attempt.wait(5).status == "succeeded"
