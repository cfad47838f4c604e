"""What a function prints, logs and tells while it runs, and what its process may see."""

from __future__ import annotations

import json
import os

import pytest

from runtime.sdk.request import Request, encode_request
from runtime.settings import read_environment
from tests.integration.execution.written import MAX_LOG_BYTES, write


def test_print_logging_and_descriptors_are_captured_in_order(bench):
    outcome = bench.run(
        write(
            """
            import logging, os, subprocess, sys
            from penstock import Context
            def f(*, ctx: Context):
                print("printed")
                print("to stderr", file=sys.stderr)
                logging.info("informed")
                logging.getLogger("mine").warning("warned")
                ctx.log.info("told")
                sys.stdout.buffer.write(b"raw \\xff\\n")
                sys.stdout.flush()
                print("no newline", end="")
            """
        )
    )

    assert outcome.logs.splitlines() == [
        b"printed",
        b"to stderr",
        b"INFO root: informed",
        b"WARNING mine: warned",
        b"INFO penstock.function: told",
        b"raw \xff",
        b"no newline",
    ]


def test_output_of_descriptors_and_subprocesses_is_captured(bench):
    written = write(
        """
        import os, subprocess
        def f():
            subprocess.run(["echo", "one"])
            os.write(1, b"two ")
            os.write(2, b"three")
        """
    )

    assert [bench.run(written).logs for _ in range(30)] == [b"one\ntwo three"] * 30


def test_output_belongs_to_its_attempt_alone(bench):
    written = write("def f(n: int): print('n is', n, end='')")

    logs = [bench.run(written, b'{"n": %d}' % n).logs for n in range(3)]

    assert logs == [b"n is 0", b"n is 1", b"n is 2"]


@pytest.mark.parametrize("body", ["import time; time.sleep(60)", "import os; os._exit(1)"])
def test_last_line_before_a_kill_is_known(bench, body):
    written = write(f"def f():\n print('a')\n print('b')\n {body}", timeout_s=0.3)

    assert bench.run(written).logs == b"a\nb\n"


def test_output_while_loading_belongs_to_the_attempt_that_made_it_load(bench):
    written = write("print('loading')\ndef f(): print('running')")

    assert bench.run(written).logs == b"loading\nrunning\n"
    assert bench.run(written).logs == b"running\n"


@pytest.mark.parametrize(
    "flood",
    [
        "for n in range(100_000): print('line', n)",
        "print('x' * 5_000_000)",
        "import os\n for n in range(2_000): os.write(1, b'y' * 1_000)",
        "import subprocess; subprocess.run(['head', '-c', '3000000', '/dev/zero'])",
    ],
)
def test_flood_is_cut_with_a_mark_and_the_next_attempt_prints_again(bench, flood):
    written = write(f"def f(quiet: bool = False):\n if quiet: return print('short')\n {flood}")

    outcome = bench.run(written)

    assert outcome.status == "succeeded"
    assert MAX_LOG_BYTES < len(outcome.logs) < MAX_LOG_BYTES + 100
    assert b"truncated" in outcome.logs
    assert bench.run(written, b'{"quiet": true}').logs == b"short\n"


@pytest.mark.parametrize(
    "harm",
    [
        "os.close(0); os.close(1); os.close(2)",
        "import sys; sys.stdout.close(); sys.stderr.close()",
        "import sys; sys.stdout = sys.stderr = None",
        "import sys, io; sys.stdout = io.StringIO()",
        "os.dup2(os.open('/dev/null', os.O_WRONLY), 1)",
    ],
)
def test_harm_to_the_streams_lasts_for_one_attempt(bench, harm):
    written = write(
        f"import os\ndef f(harm: bool = False):\n if harm:\n  {harm}\n  return os.getpid()\n"
        " print('fine')\n os.write(1, b'too')\n return os.getpid()"
    )

    harmed = bench.run(written, b'{"harm": true}')
    after = bench.run(written)

    assert harmed.status == after.status == "succeeded"
    assert after.logs == b"fine\ntoo"
    assert after.result == harmed.result


def test_progress_events_and_logs_are_told_while_it_runs(bench):
    bench.run(
        write(
            """
            from penstock import Context
            def f(*, ctx: Context):
                ctx.progress(1, 2, "half")
                print("text")
                ctx.emit({"a": [1]})
            """
        )
    )

    assert bench.frames == [
        ("i1", "progress", b'{"done":1,"total":2,"message":"half"}'),
        ("i1", "log", b"text\n"),
        ("i1", "event", b'{"a":[1]}'),
    ]


def test_context_knows_its_attempt(bench):
    outcome = bench.run(
        write(
            """
            from penstock import Context
            def f(*, ctx: Context):
                return [ctx.id, ctx.function, ctx.attempt, 4 < ctx.remaining_s <= 5, ctx.cancelled,
                        ctx.traceparent]
            """,
            timeout_s=5,
        ),
        attempt=3,
        traceparent="00-ab-cd-01",
    )

    assert json.loads(outcome.result) == ["i1", "f", 3, True, False, "00-ab-cd-01"]


def test_request_is_handed_on(bench):
    request = encode_request(Request(method="POST", headers={"X-A": "1"}, body=b"\x00raw"))

    outcome = bench.run(
        write(
            "from penstock import Request\n"
            "def f(r: Request): return [r.method, r.headers['x-a'], len(r.body)]"
        ),
        request=request,
    )

    assert json.loads(outcome.result) == ["POST", "1", 4]


def test_user_code_sees_no_secret_and_no_descriptor_of_ours(make_bench, make_server):
    secrets = {"PENSTOCK_REDIS": "redis://secret", "TOKEN": "secret"}
    bench = make_bench(1, make_server({**read_environment(), **secrets}))
    kept = os.open("/dev/zero", os.O_RDONLY)
    os.set_inheritable(kept, True)
    written = write(
        """
        import os
        def f():
            shown = {}
            for name in os.listdir("/proc/self/fd"):
                try: shown[name] = os.readlink("/proc/self/fd/" + name).split(":")[0]
                except OSError: pass
            return [dict(os.environ), shown, open("/proc/self/environ").read()]
        """
    )

    environment, descriptors, exec_environment = json.loads(bench.run(written).result)

    os.close(kept)
    assert not set(secrets) & set(environment)
    assert "secret" not in exec_environment
    above = {number: kind for number, kind in descriptors.items() if int(number) > 2}
    assert sorted(above.values()) == ["pipe", "pipe", "pipe", "socket", "socket"]
    assert descriptors["0"] == "/dev/null"
