"""Of attempts that run at the same time, one that does harm is to blame, and no other."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter

import pytest

from tests.integration.execution.at_once import (
    COUNT,
    ILL,
    driven,
    only_ill,
    run,
    wait,
)
from tests.integration.execution.bench import kinds
from tests.integration.execution.written import write
from tests.support.waiting import allowed, eventually

MIB = 1024 * 1024
# It comes when the others have begun; it runs until the worker has read what it did.
LATER = "await asyncio.sleep(0.1)\n"
GARBAGE = LATER + (
    "for number in range(100, 1000):\n"
    "    with contextlib.suppress(OSError): os.write(number, b'garbage' * 9)\n"
    "time.sleep(5)"
)
FORGED = LATER + (
    "from runtime.processes.frames import pack\n"
    "for number in range(400, 600):\n"
    "    with contextlib.suppress(OSError): os.write(number, pack(b'done', b'%d' % 10**6, "
    "b'[\"succeeded\"]', b'1', b'1'))\n"
    "time.sleep(5)"
)


def returned(attempts):
    return [attempt.returned for attempt in attempts]


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "lost"),
        ("ctypes.string_at(0)", "lost"),
        ("os._exit(3)", "exited"),
        (GARBAGE, "lost"),
        (FORGED, "lost"),
    ],
    ids=["sigkill", "segfault", "os-exit", "garbage", "forged"],
)
def test_a_death_is_blamed_on_the_one_that_executes(make_bench, harm, kind):
    bench = make_bench(size=1)
    bench.run(driven("sleep"))

    attempts = run(bench, harm if harm.startswith(LATER) else LATER + harm)

    assert kinds(attempts) == only_ill(kind)
    assert returned(attempts) == [int(n != ILL) for n in range(COUNT)]


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        ("sys.exit(3)", "exited"),
        ("KEPT.append(asyncio.create_task(asyncio.sleep(60)))", "succeeded"),
        ("threading.Thread(target=time.sleep, args=(60,), daemon=True).start()", "succeeded"),
        ("bytearray(1 << 30)", "out_of_memory"),
        ("a = []\nwhile True: a.append(bytearray(1 << 16))", "out_of_memory"),
    ],
    ids=["exit", "task", "thread", "memory", "all-memory"],
)
def test_harm_to_the_process_ends_nobody_else(make_bench, harm, kind):
    bench = make_bench(size=1)
    bench.run(driven("sleep", memory_bytes=256 * MIB))

    attempts = run(bench, harm, memory_bytes=256 * MIB)

    assert kinds(attempts) == only_ill(kind)
    assert not sum(returned(attempts))


@pytest.mark.parametrize("harm", ["thread", "stubborn task"])
def test_a_runner_in_which_something_is_left_goes_when_the_others_have_ended(make_bench, harm):
    bench = make_bench(size=1)
    bench.run(driven("sleep"))
    [pid] = bench.pids()
    code = {
        "thread": "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        "stubborn task": "async def stay():\n    while True:\n"
        "        with contextlib.suppress(asyncio.CancelledError): await asyncio.sleep(60)\n"
        "KEPT.append(asyncio.create_task(stay()))\nawait asyncio.sleep(0)",
    }[harm]

    attempts = run(bench, code, "await asyncio.sleep(2)")

    assert kinds(attempts) == ["succeeded"] * COUNT
    assert not sum(returned(attempts))
    assert eventually(lambda: bench.pids() and pid not in bench.pids())
    assert bench.run(driven("sleep")).status == "succeeded"


def test_a_runner_killed_while_all_wait_costs_none(make_bench):
    bench = make_bench(size=1)
    bench.run(driven("sleep"))
    attempts = bench.submit_all(driven("sleep"), [b'{"s": 0.5}'] * COUNT)
    time.sleep(0.2)  # all have begun, and nobody executes
    [pid] = bench.pids()

    os.kill(pid, signal.SIGKILL)

    assert kinds(wait(attempts)) == ["succeeded"] * COUNT
    assert returned(attempts) == [1] * COUNT


def test_one_alone_that_has_its_process_killed_while_it_waits_is_to_blame(make_bench):
    bench = make_bench(size=1)
    code = "subprocess.Popen(['sh', '-c', f'sleep 0.2; kill -9 {os.getpid()}'])\n"
    arguments = json.dumps({"code": code + "await asyncio.sleep(60)"}).encode()

    outcome = bench.run(driven(), arguments)

    assert outcome.status == "lost"


def test_one_that_blocks_its_loop_is_killed_for_it_and_the_others_run_again(make_bench):
    bench = make_bench(size=1)
    bench.run(driven("sleep", timeout_s=1))

    attempts = run(bench, LATER + "time.sleep(60)", timeout_s=1)

    assert kinds(attempts) == only_ill("timeout")
    assert returned(attempts) == [int(n != ILL) for n in range(COUNT)]
    assert attempts[ILL].at_s - attempts[ILL].run.sent_at < allowed(2.5)


def test_one_that_swallows_its_cancellation_is_out_of_time_and_nobody_else_is(make_bench):
    bench = make_bench(size=1)
    stubborn = (
        "while True:\n    with contextlib.suppress(asyncio.CancelledError): await asyncio.sleep(60)"
    )

    attempts = run(bench, stubborn, timeout_s=1)

    assert kinds(attempts) == only_ill("timeout")
    assert 2 <= attempts[ILL].at_s - attempts[ILL].run.sent_at < allowed(3)
    assert not attempts[ILL].returned


def test_one_cancelled_that_does_not_end_is_killed_and_the_others_run_again(make_bench):
    bench = make_bench(size=1)
    stubborn = (
        "while True:\n    with contextlib.suppress(asyncio.CancelledError): await asyncio.sleep(60)"
    )
    codes = [json.dumps({"code": stubborn if n == ILL else "await asyncio.sleep(1.5)"}).encode()
             for n in range(COUNT)]  # fmt: skip
    bench.run(driven("sleep"))
    attempts = bench.submit_all(driven(), codes)
    time.sleep(0.2)

    bench.cancel(attempts[ILL])

    assert attempts[ILL].wait(3).status == "cancelled"
    assert kinds(wait(attempts)) == only_ill("cancelled")
    assert returned(attempts) == [int(n != ILL) for n in range(COUNT)]


@pytest.mark.parametrize("per_process", [1, 100])
def test_a_file_that_does_not_load_ends_all_that_wait_for_it(make_bench, per_process):
    bench = make_bench(size=1)
    written = write("import no_such_module\ndef f(): pass", per_process=per_process)

    attempts = wait(bench.submit_all(written, [b"{}"] * 20))

    assert Counter(kinds(attempts)) == {"exception": 20}
    assert all(b"no_such_module" in attempt.outcome.error for attempt in attempts)


@pytest.mark.parametrize("per_process", [1, 100])
def test_a_runner_killed_while_it_loads_costs_the_one_that_made_it_load(
    make_bench, tmp_path, per_process
):
    bench = make_bench(size=1)
    source = (
        f"import os, time\nif not os.path.exists({str(tmp_path / 'once')!r}):\n"
        f"    open({str(tmp_path / 'once')!r}, 'w').write(str(os.getpid())); time.sleep(4)\n"
        "def f(): return 1"
    )
    attempts = bench.submit_all(write(source, per_process=per_process), [b"{}"] * 20)
    assert eventually(lambda: (tmp_path / "once").exists() and (tmp_path / "once").read_text())

    os.kill(int((tmp_path / "once").read_text()), signal.SIGKILL)

    assert kinds(wait(attempts)) == ["lost", *["succeeded"] * 19]
    assert b"while it loaded its file" in attempts[0].outcome.error


def test_where_no_process_can_be_made_attempts_end_and_say_so(make_bench, make_server):
    server = make_server()
    bench = make_bench(size=1, server=server)
    bench.gives_again = False
    bench.run(write("def f(): pass"))
    server.stop()

    outcome = bench.run(write("def f(): return 1"))

    assert outcome.status == "lost"
    assert b"no runner" in outcome.error


def test_the_death_of_a_runner_of_threads_is_blamed_on_those_that_run(make_bench):
    bench = make_bench(size=1)
    source = "import os, time\ndef f(harm: bool):\n time.sleep(0.3)\n if harm: os._exit(3)\n"
    written = write(source, per_process=10)
    bench.run(written, b'{"harm": false}')

    attempts = wait(bench.submit_all(written, [b'{"harm": true}', *[b'{"harm": false}'] * 20]))

    assert attempts[0].kind == "exited"
    assert set(kinds(attempts[1:10])) <= {"exited", "succeeded"}
    assert kinds(attempts[10:]) == ["succeeded"] * 11


def test_runners_killed_at_any_moment_cost_who_executes_at_most(make_bench):
    bench = make_bench(size=2)
    attempts = bench.submit_all(driven("sleep"), [b'{"s": 0.3}'] * 200)
    kills = 0
    while not all(attempt.is_over.is_set() for attempt in attempts) and kills < 6:
        time.sleep(0.15)
        for runner in bench.runners():
            if runner.runs:
                os.kill(runner.process.pid, signal.SIGKILL)
                kills += 1

    counted = Counter(kinds(wait(attempts)))

    assert kills == 6
    assert set(counted) <= {"succeeded", "lost"}
    assert counted["lost"] <= kills
    assert sum(returned(attempts)) > 200


def test_threads_beside_one_that_is_killed_for_its_cancellation_run_again(make_bench):
    bench = make_bench(size=1)
    written = driven("plain", per_process=10)
    bench.run(written, b'{"code": ""}')
    rest, stubborn = b'{"code": "time.sleep(1.5)"}', b'{"code": "time.sleep(60)"}'
    attempts = bench.submit_all(written, [stubborn, *[rest] * 9])
    time.sleep(0.3)  # all have begun

    bench.cancel(attempts[0])

    assert kinds(wait(attempts)) == ["cancelled", *["succeeded"] * 9]
    assert returned(attempts) == [0, *[1] * 9]


def test_one_that_has_its_process_killed_while_it_sleeps_ends_all_the_same(make_bench):
    """Its own thread kills the process, so that nobody is executing; others end in between."""
    bench = make_bench(size=1)
    bench.run(driven("sleep"))
    later = "time.sleep(0.1) or os.kill(os.getpid(), signal.SIGKILL)"
    harm = f"threading.Thread(target=lambda: {later}).start()\nawait asyncio.sleep(30)"

    attempts = run(bench, harm, "await asyncio.sleep(0)")

    assert kinds(attempts) == only_ill("lost")
    assert attempts[ILL].returned <= 10
