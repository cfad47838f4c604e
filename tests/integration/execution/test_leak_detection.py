"""What a call leaves running is heard in no other call, and its runner is not used again."""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path

import pytest

from runtime.execution.assignment import Outcome
from tests.integration.execution import leaving
from tests.integration.execution.bench import Bench, kinds
from tests.integration.execution.crew import begun, calls, once_each, quick_crew
from tests.integration.execution.written import write
from tests.support.waiting import eventually

SOURCE = Path(leaving.__file__).read_text(encoding="utf-8")
WAYS = [*leaving.PLAIN, *leaving.AWAITED]
# In these cases nothing is left when the call has ended, or nothing is there yet.
HARMLESS_WAYS = {"task", "generator", "callback", "task of a callback", "alarm", "deadly alarm"}
# These are of the whole process, or cannot be told apart there.
NOT_IN_THREADS = {"process", "fork", "raw thread", "alarm", "deadly alarm"}


def leave_behind(bench: Bench, how: str, who: str = "", **options: object) -> Outcome:
    """Leave something behind for somebody; for nobody, only wait."""
    arguments = json.dumps({"how": how, "who": who}).encode()
    outcome = bench.run(write(SOURCE, **options), arguments, id=who or "other")
    assert outcome.status == "succeeded", outcome.error
    return outcome


@pytest.mark.parametrize("how", WAYS)
def test_nothing_of_a_call_is_heard_in_the_next_ones(make_bench, how):
    bench = make_bench(size=1)
    for who in ("alice", "bob"):
        leave_behind(bench, how, who)

    logs = [leave_behind(bench, how).logs for _ in range(2)]

    assert logs == [b"", b""]
    assert not [data for who, kind, data in bench.frames if who == "other" and kind == "log"]


@pytest.mark.parametrize("how", sorted({*WAYS} - HARMLESS_WAYS))
def test_a_runner_in_which_something_is_left_is_replaced_before_the_next_call(make_bench, how):
    bench = make_bench(size=1)
    leave_behind(bench, how)
    [before] = bench.pids()

    leave_behind(bench, how, "alice")

    assert eventually(lambda: bench.pids() not in ([], [before]))
    [after] = bench.pids()
    leave_behind(bench, how)
    assert bench.pids() == [after]


@pytest.mark.parametrize("how", sorted({*WAYS} - NOT_IN_THREADS))
def test_nothing_of_a_call_in_a_thread_is_heard_in_the_next_ones(make_bench, how):
    bench = make_bench(size=1)
    leave_behind(bench, how, "alice", isolation="thread")

    logs = [leave_behind(bench, how, isolation="thread").logs for _ in range(2)]

    assert logs == [b"", b""]


HARMLESS = {
    "to_thread": """
        async def f(n: int):
            return await asyncio.to_thread(tell, n)
        """,
    "executor of the loop": """
        async def f(n: int):
            return await asyncio.get_running_loop().run_in_executor(None, tell, n)
        """,
    "pool of the file": """
        POOL = ThreadPoolExecutor(2)
        def f(n: int):
            return [*POOL.map(tell, [n] * 5)][0]
        """,
    "pool of the call, kept": """
        def f(n: int):
            if not KEPT: KEPT.append(ThreadPoolExecutor(4))
            return [*KEPT[0].map(tell, [n] * 5)][0]
        """,
    "pool of multiprocessing, kept": """
        def f(n: int):
            if not KEPT: KEPT.append(ThreadPool(2))
            return KEPT[0].map(tell, [n] * 5)[0]
        """,
    "joined": """
        def f(n: int):
            thread = threading.Thread(target=tell, args=(n,))
            thread.start()
            thread.join()
            return os.getpid()
        """,
    "about to end": """
        def f(n: int):
            done = threading.Event()
            threading.Thread(target=lambda: (tell(n), done.set(), time.sleep(0.003))).start()
            done.wait()
            return os.getpid()
        """,
    "thread of the file": """
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        def f(n: int):
            return tell(n)
        """,
    "process, waited for": """
        def f(n: int):
            subprocess.run(["true"])
            return tell(n)
        """,
    "process, dead but not waited for": """
        def f(n: int):
            KEPT.append(subprocess.Popen(["true"]))
            os.waitid(os.P_PID, KEPT[-1].pid, os.WEXITED | os.WNOWAIT)
            return tell(n)
        """,
    "queue of log records": """
        RECORDS = queue.Queue()
        logging.handlers.QueueListener(RECORDS, logging.StreamHandler(sys.stdout)).start()
        LOG = logging.getLogger("queued")
        LOG.propagate = False
        LOG.addHandler(logging.handlers.QueueHandler(RECORDS))
        def f(n: int):
            LOG.warning(f"n is {n}")
            return os.getpid()
        """,
}
TELL = """
import asyncio, logging.handlers, os, queue, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
KEPT = []
def tell(n):
    print("n is", n)
    return os.getpid()
"""


@pytest.mark.parametrize("name", HARMLESS)
def test_pools_that_wait_and_what_has_ended_cost_no_runner(make_bench, name):
    bench = make_bench(size=1)
    written = write(TELL + textwrap.dedent(HARMLESS[name]))

    outcomes = [bench.run(written, b'{"n": %d}' % n) for n in range(8)]

    assert len({outcome.result for outcome in outcomes}) == 1
    for n, outcome in enumerate(outcomes):
        assert set(outcome.logs.splitlines()) == {b"n is %d" % n}


@pytest.mark.parametrize("isolation", ["process", "thread"])
def test_what_a_thread_says_goes_to_its_call_while_that_runs(bench, isolation):
    source = """
    import threading, time
    def f(who: str):
        threading.Thread(target=lambda: print("in", who), daemon=True).start()
        time.sleep(0.2)
    """

    outcome = bench.run(write(source, isolation=isolation), b'{"who": "alice"}')

    assert outcome.logs == b"in alice\n"


def test_a_thread_of_the_file_belongs_to_the_call_that_made_it_load(make_bench):
    bench = make_bench(size=1)
    written = write(
        "import threading, time\n"
        "def say():\n    while True: print('tick'); time.sleep(0.01)\n"
        "threading.Thread(target=say, daemon=True).start()\n"
        "def f(): time.sleep(0.1)"
    )

    logs = [bench.run(written).logs for _ in range(3)]

    assert b"tick" in logs[0]
    assert logs[1:] == [b"", b""]


@pytest.mark.parametrize("isolation", ["process", "thread"])
def test_a_task_that_is_left_is_cancelled_and_heard_by_its_own_call(bench, isolation):
    written = write(
        """
        import asyncio, os
        KEPT = []
        async def f(who: str):
            async def later():
                try: await asyncio.sleep(60)
                finally: print("the end of", who)
            KEPT.append(asyncio.create_task(later()))
            await asyncio.sleep(0)
            return os.getpid()
        """,
        isolation=isolation,
    )

    outcomes = [bench.run(written, b'{"who": "%d"}' % n) for n in range(3)]

    assert [outcome.logs for outcome in outcomes] == [b"the end of %d\n" % n for n in range(3)]
    assert len({outcome.result for outcome in outcomes}) == 1


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("isolation", ["process", "thread"])
def test_what_a_call_binds_to_a_context_is_bound_for_no_other_call(make_bench, kind, isolation):
    bench = make_bench(size=1)
    written = write(
        f"""
        from contextvars import ContextVar
        SEEN = ContextVar("seen", default=())
        def bind(value):
            SEEN.set((*SEEN.get(), value))
            return list(SEEN.get())
        {kind} f(user: str, generate: bool = False):
            return steps(user) if generate else bind(user)
        def steps(user):
            yield bind(user)
            yield bind(user)
        """,
        isolation=isolation,
    )
    asked = [b'{"user": "a"}', b'{"user": "b", "generate": true}', b'{"user": "c"}']
    if kind == "async def":
        asked.pop(1)

    results = [bench.run(written, arguments).result for arguments in asked * 2]

    wanted = {b"a": b'["a"]', b"b": b'[["b"],["b","b"]]', b"c": b'["c"]'}
    assert results == [wanted[arguments[10:11]] for arguments in asked * 2]


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="children are looked for on Linux")
def test_attempts_sent_ahead_of_one_that_leaves_something_run_elsewhere_and_once(make_bench, path):
    crew = quick_crew(make_bench(size=1))
    harm = "import threading; threading.Thread(target=time.sleep, args=(60,)).start()"

    ended = crew.run(calls(path, harm))

    assert kinds(ended) == ["succeeded"] * len(ended)
    assert begun(path) == once_each()
    pids = [e.outcome.result.split(b",")[1] for e in ended]
    assert len(set(pids)) == 2
    assert pids[8] == pids[9] != pids[10]
