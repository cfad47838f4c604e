"""Every way an attempt can end, made to happen in a real runner."""

from __future__ import annotations

import json
import time

import pytest

from runtime.sdk.options import RetryPolicy
from tests.integration.execution.bench import error_of
from tests.integration.execution.written import MAX_RESULT_BYTES, write
from tests.support.waiting import allowed, eventually

MIB = 1024 * 1024
SHOUT_GARBAGE = """import os
 for number in range(100, 1000):
  try: os.write(number, b"garbage" * 9)
  except OSError: pass
"""


def test_success_gives_the_result_as_json(bench):
    outcome = bench.run(write("def f(a: int, b: str = 'x'): return {'a': a, 'b': b}"), b'{"a": 1}')

    assert (outcome.status, outcome.result) == ("succeeded", b'{"a":1,"b":"x"}')
    assert (outcome.result_type, outcome.media_type) == ("json", "application/json")
    assert outcome.error == b""


def test_success_gives_bytes_as_they_are(bench):
    outcome = bench.run(write("def f() -> bytes: return b'\\x00\\xff'"))

    assert (outcome.result, outcome.result_type) == (b"\x00\xff", "bytes")


def test_async_functions_share_one_event_loop(bench):
    written = write("import asyncio\nasync def f(): return id(asyncio.get_running_loop())")

    first, second = bench.run(written), bench.run(written)

    assert first.status == "succeeded"
    assert first.result == second.result


def test_exception_tells_type_message_and_the_author_s_frames_only(bench):
    outcome = bench.run(
        write(
            """
            def f():
                return inner({})

            def inner(table):
                return table["missing"]
            """
        )
    )

    error = error_of(outcome)
    assert (error["type"], error["exception_type"]) == ("exception", "KeyError")
    assert error["message"] == "'missing'"
    assert 'return table["missing"]' in error["traceback"]
    assert "/srv/functions/f.py" in error["traceback"]
    assert "runtime/" not in error["traceback"]


def test_exception_in_async_function_hides_the_event_loop(bench):
    error = error_of(bench.run(write("async def f(): raise ValueError('no')")))

    assert error["exception_type"] == "ValueError"
    assert "asyncio" not in error["traceback"]


@pytest.mark.parametrize(
    "body",
    [
        "raise KeyboardInterrupt",
        "raise BaseException('x')",
        "f()",
        "raise ExceptionGroup('many', [ValueError(1), KeyError(2)])",
        "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})",
        "raise ValueError('\\ud800 \\x00')",
    ],
)
def test_odd_exceptions_are_failures_and_the_runner_stays(bench, body):
    written = write(f"import os\ndef f(ok: bool = False):\n if ok: return os.getpid()\n {body}")
    before = bench.run(written, b'{"ok": true}').result

    error = error_of(bench.run(written))

    assert error["type"] == "exception"
    assert bench.run(written, b'{"ok": true}').result == before


def test_long_messages_and_deep_tracebacks_are_bounded(bench):
    outcome = bench.run(
        write(
            """
            def f(n: int = 0):
                if n == 400:
                    raise ValueError("x" * 1_000_000)
                return (f, g)[n % 2](n + 1)

            def g(n):
                return f(n + 1) if n % 3 else f(n + 1)
            """
        )
    )

    assert len(outcome.error) < 40_000


@pytest.mark.parametrize(
    "body",
    [
        "import time; time.sleep(60)",
        "while True: pass",
        "import re; re.match(r'(a+)+$', 'a' * 40 + 'b')",
        "import signal as s, time; s.pthread_sigmask(s.SIG_BLOCK, range(1, 64)); time.sleep(60)",
        "import subprocess; subprocess.run(['sleep', '60'])",
        "import asyncio; asyncio.run(asyncio.sleep(60))",
    ],
    ids=["sleep", "loop", "gil", "signals-blocked", "subprocess", "asyncio"],
)
def test_timeout_kills(bench, body):
    written = write(f"def f():\n {body}", timeout_s=0.3)
    bench.run(write("def f(): pass"))
    begun_at = time.monotonic()

    error = error_of(bench.run(written))

    assert error["type"] == "timeout"
    assert "0.3 s" in error["message"]
    assert time.monotonic() - begun_at < allowed(3)
    assert eventually(lambda: len(bench.pids()) == 1)


def test_sys_exit_is_exited_with_the_code(bench):
    error = error_of(bench.run(write("import sys\ndef f(): sys.exit(3)")))

    assert error["type"] == "exited"
    assert "3" in error["message"]


@pytest.mark.parametrize("code", [0, 7])
def test_os_exit_is_exited_with_the_code(bench, code):
    error = error_of(bench.run(write(f"import os\ndef f(): os._exit({code})")))

    assert error["type"] == "exited"
    assert f"code {code} " in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        "import ctypes; ctypes.string_at(0)",
        "import os; os.abort()",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import os; os.closerange(3, 2000)",
        SHOUT_GARBAGE,
    ],
    ids=["segfault", "abort", "sigkill", "sigterm", "channel-closed", "channel-garbage"],
)
def test_death_by_signal_and_a_broken_channel_are_lost(bench, body):
    outcome = bench.run(write(f"def f():\n {body}"))

    assert outcome.status == "lost"
    assert eventually(lambda: bench.pids() == [])


@pytest.mark.parametrize(
    "body",
    [
        "bytearray(1 << 30)",
        "[0] * (1 << 28)",
        "a = []\n while True: a.append(object())",
        "a = None\n while True: a = (a,)",  # not a byte is left
        "global a; a = None\n while True: a = (a,)",  # and none is freed on the way out
    ],
)
def test_memory_limit_is_out_of_memory(bench, body):
    error = error_of(bench.run(write(f"def f():\n {body}", memory_bytes=128 * MIB)))

    assert (error["type"], error["exception_type"]) == ("out_of_memory", "MemoryError")
    assert ", in f" in error["traceback"]


def test_memory_that_earlier_attempts_left_full_is_out_of_memory(bench):
    written = write(
        """
        kept = None
        def f(text: str = ""):
            global kept
            try:
                while True: kept = (kept,)
            except MemoryError:
                return 1
        """,
        memory_bytes=128 * MIB,
    )
    assert bench.run(written).status in {"succeeded", "failed"}

    error = error_of(bench.run(written, b'{"text": "%s"}' % (b"x" * 5_000_000)))

    assert error["type"] == "out_of_memory"


@pytest.mark.parametrize("value", ["object()", "{'a': [1, object()]}", "float('nan')", "{1, f}"])
def test_unserialisable_result_says_so(bench, value):
    error = error_of(bench.run(write(f"def f(): return {value}")))

    assert error["type"] == "result_not_serializable"


def test_oversized_result_says_size_and_limit(bench):
    exact = bench.run(write(f"def f(): return 'x' * {MAX_RESULT_BYTES - 2}"))
    error = error_of(bench.run(write(f"def f(): return 'x' * {MAX_RESULT_BYTES - 1}")))

    assert exact.status == "succeeded"
    assert error["type"] == "result_too_large"
    assert str(MAX_RESULT_BYTES) in error["message"]
    assert str(MAX_RESULT_BYTES + 1) in error["message"]


def test_reject_is_rejected_and_never_retried(bench):
    written = write(
        "from penstock import Reject\ndef f(): raise Reject('too old')",
        retry=RetryPolicy(retries=5),
    )

    error = error_of(bench.run(written))

    assert (error["type"], error["message"]) == ("rejected", "too old")


def test_arguments_that_do_not_fit_are_told_by_pointers_and_not_tried_again(bench):
    written = write("def f(a: int): pass", retry=RetryPolicy(retries=5))

    error = error_of(bench.run(written, b'{"a": "x"}'))

    assert error["type"] == "arguments_invalid"
    assert error["errors"] == [{"pointer": "/a", "detail": "Input should be a valid integer"}]
    assert "exception_type" not in error


def test_retry_is_retrying_after_what_it_says(bench):
    outcome = bench.run(write("from penstock import Retry\ndef f(): raise Retry(after='2s')"))

    assert (outcome.status, outcome.retry_after_ms) == ("retrying", 2000)


@pytest.mark.parametrize("body", ["1 / 0", "import sys; sys.exit(1)", "import os; os._exit(1)"])
def test_failures_are_retried_while_the_policy_allows(bench, body):
    written = write(f"def f():\n {body}", retry=RetryPolicy(retries=2, first_s=1, jitter=0))

    outcomes = [bench.run(written, attempt=attempt) for attempt in (1, 2, 3)]

    assert [o.status for o in outcomes] == ["retrying", "retrying", "failed"]
    assert [o.retry_after_ms for o in outcomes] == [1000, 2000, 0]
    assert all(json.loads(o.error)["type"] for o in outcomes)


def test_file_that_no_longer_loads_fails_with_its_error(bench):
    error = error_of(bench.run(write("import no_such_module\ndef f(): pass")))

    assert error["exception_type"] == "LoadError"
    assert "no_such_module" in error["message"]
    assert eventually(lambda: bench.pids() == [])


@pytest.mark.parametrize(
    ("body", "kind"),
    [("import time; time.sleep(60)", "timeout"), ("import os; os._exit(4)", "exited")],
)
def test_file_that_hangs_or_exits_while_loading_ends_the_attempt(make_bench, body, kind):
    bench = make_bench(load_timeout_s=0.3)

    error = error_of(bench.run(write(f"{body}\ndef f(): pass")))

    assert error["type"] == kind
    assert eventually(lambda: bench.pids() == [])


def test_function_that_is_not_in_the_file_fails(bench):
    error = error_of(bench.run(write("def f(): pass"), function="other"))

    assert "other" in error["message"]
