"""A runner that runs attempts at the same time: each has its own output, time and end."""

from __future__ import annotations

import pytest

from runtime.execution import runner_protocol as frames
from runtime.sdk.request import Request, encode_request
from tests.support.runner_driver import MIB


def test_each_ends_when_it_ends_whatever_the_order_of_sending(driver):
    waiting = driver.run_all([{}] * 3, function="wait")

    opened = driver.run(function="open_gate")

    assert {a.value for a in driver.all(waiting)} == {"opened"}
    assert driver.answers[opened].at_s <= min(driver.answers[serial].at_s for serial in waiting)


def test_context_variables_of_one_are_not_seen_by_another(driver):
    code = """
import contextvars
var = KEPT[0] if KEPT else contextvars.ContextVar("v", default=None)
if not KEPT: KEPT.append(var)
found = var.get()
var.set({n})
await asyncio.sleep(0.01)
return [found, var.get()]"""

    answers = driver.all(driver.do(*(code.replace("{n}", str(n)) for n in range(5))))

    assert [answer.value for answer in answers] == [[None, n] for n in range(5)]


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("raise ValueError('broken')", "exception", "broken"),
        ("raise SystemExit(3)", "exited", "the function called sys.exit(3)"),
        ("await asyncio.create_task(exits())", "exited", "the function called sys.exit(4)"),
        (
            "KEPT.append(asyncio.create_task(exits()))\nawait asyncio.sleep(30)",
            "exited",
            "the function called sys.exit(4)",
        ),
        (
            "asyncio.get_running_loop().call_soon(sys.exit, 5)\nawait asyncio.sleep(30)",
            "exited",
            "the function called sys.exit(5)",
        ),
        ("raise KeyboardInterrupt('stop')", "exception", "stop"),
        ("os.kill(os.getpid(), signal.SIGINT)", "exception", "KeyboardInterrupt"),
        ("asyncio.current_task().cancel()\nawait asyncio.sleep(1)", "exception", "CancelledError"),
        ("raise MemoryError('much')", "out_of_memory", "much"),
        ("return object()", "result_not_serializable", ""),
        ("return 'x' * 3_000_000", "result_too_large", ""),
    ],
)
def test_how_one_ends_is_told_of_it_and_of_no_other(driver, code, kind, message):
    setup = "global exits\nasync def exits():\n    await asyncio.sleep(0)\n    sys.exit(4)\n"
    good = driver.run_all([{"s": 0.1}] * 5, function="sleep")
    [ill] = driver.do(setup + code)

    answer = driver.answer(ill)

    assert answer.kind == kind
    assert message in answer.ending.message
    assert answer.result == b""
    assert [a.kind for a in driver.all(good)] == ["succeeded"] * 5
    assert driver.answer(driver.run(function="sleep")).kind == "succeeded"


def test_arguments_that_do_not_fit_are_refused(driver):
    answer = driver.answer(driver.run(function="sleep", s="long"))

    assert answer.kind == "arguments_invalid"


def test_a_function_that_is_not_published_is_told(driver):
    assert "does not publish" in driver.answer(driver.run(function="none")).ending.message


def test_the_request_comes_along(make_driver):
    driver = make_driver(
        """
        from penstock import Request
        async def f(r: Request): return [r.method, len(r.body)]
        """
    )
    request = encode_request(Request(method="POST", body=b"1234"))

    serials = driver.run_all([{}] * 2, request=request)

    assert [answer.value for answer in driver.all(serials)] == [["POST", 4]] * 2


def test_a_stop_ends_one_and_no_other(driver):
    code = "print('begun')\nawait asyncio.sleep(0.3)\nreturn 'slept'"
    first, second, third = driver.do(code, code, code)
    driver.read_until(lambda: driver.log(third))

    driver.stop(first, frames.CANCELLED)
    driver.stop(second, frames.TIMEOUT)

    assert driver.answer(first).kind == "cancelled"
    assert driver.answer(second).kind == "timeout"
    assert driver.answers[second].ending.message == "ran longer than 60 s"
    assert driver.answer(third).value == "slept"
    assert driver.answers[second].at_s < driver.answers[third].at_s


def test_a_stop_that_comes_with_its_run_ends_it_before_it_begins(driver):
    [busy] = driver.do("print('busy')\nblock(0.5)")  # so that both frames are read in one turn
    driver.read_until(lambda: driver.log(busy))
    [serial] = driver.do("print('begun')\nawait asyncio.sleep(30)")
    driver.stop(serial)

    assert driver.answer(serial).kind == "cancelled"
    assert driver.log(serial) == ""
    driver.answer(busy)


def test_a_stopped_one_may_clean_up_and_is_stopped_all_the_same(driver):
    code = """
print("begun")
try:
    await asyncio.sleep(30)
except asyncio.CancelledError:
    await asyncio.sleep(0.05)
    print("cleaned up")
return "done"
"""
    [serial] = driver.do(code)
    driver.read_until(lambda: driver.log(serial))

    driver.stop(serial, frames.TIMEOUT)

    assert driver.answer(serial).kind == "timeout"
    assert driver.answers[serial].result == b""
    assert driver.log(serial) == "begun\ncleaned up\n"


def test_whoever_swallows_the_cancellation_is_not_answered_for(driver):
    code = """
print("begun")
while True:
    try:
        await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        print("swallowed")
"""
    [serial] = driver.do(code)
    driver.read_until(lambda: driver.log(serial))

    driver.stop(serial, frames.TIMEOUT)
    driver.read_until(lambda: "swallowed" in driver.log(serial))
    driver.answer(driver.run(function="sleep", s=0.2))

    assert serial not in driver.answers


def test_a_stop_of_what_is_over_or_never_was_is_ignored(driver):
    serial = driver.run(function="sleep")
    driver.answer(serial)

    driver.stop(serial)
    driver.stop(999)

    assert driver.answer(driver.run(function="sleep")).kind == "succeeded"


def test_the_context_says_how_long_there_is_and_whether_it_is_cancelled(make_driver):
    source = """
    import asyncio
    from penstock import Context
    async def f(ctx: Context):
        before = [ctx.cancelled, round(ctx.remaining_s)]
        print("begun")
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            print([*before, ctx.cancelled])
            raise
    """
    driver = make_driver(source)
    [serial] = driver.run_all([{}], timeout_s=7)
    [other] = driver.run_all([{}], timeout_s=7)
    driver.read_until(lambda: driver.log(other))

    driver.stop(serial)
    driver.answer(serial)

    assert driver.log(serial) == "begun\n[False, 7, True]\n"
    assert driver.log(other) == "begun\n"


def test_a_thousand_run_at_the_same_time(make_driver):
    driver = make_driver(per_process=1000)
    waiting = driver.run_all([{}] * 1000, function="wait")

    driver.answer(driver.run(function="open_gate"))

    assert {a.value for a in driver.all(waiting)} == {"opened"}


def test_large_results_of_many_arrive_whole(driver):
    codes = [f"await asyncio.sleep(0)\nreturn {n!r} * {MIB}" for n in "abcdefghij" * 4]

    answers = driver.all(driver.do(*codes), within_s=30)

    assert [a.result[1:2].decode() for a in answers] == list("abcdefghij" * 4)
    assert all(len(set(a.result[1:-1])) == 1 and len(a.result) == MIB + 2 for a in answers)


def test_a_sequential_attempt_follows_when_all_are_answered_and_back(driver):
    serials = driver.run_all([{"s": 0.05}] * 10, function="sleep")
    driver.all(serials)

    for _ in range(3):
        [alone] = driver.run_all([{"who": "alone"}], function="say", per_process=1)
        assert driver.answer(alone).value == "alone"
        assert "task of alone" in driver.log(alone)
        beside = driver.run_all([{"who": who} for who in "ab"], function="say")
        assert [a.value for a in driver.all(beside)] == ["a", "b"]
        assert "task of a" in driver.log(beside[0])
        assert not any(driver.answers[serial].ending.left for serial in [alone, *beside])


def test_a_sequential_attempt_that_comes_too_early_waits_for_the_others(driver):
    others = driver.do(*["await asyncio.sleep(0.3)"] * 3)
    [alone] = driver.run_all([{"code": "return 1"}], function="do", per_process=1)
    [behind] = driver.do("return 2")
    driver.stop(others[0])

    assert driver.answer(behind).value == 2

    assert list(driver.answers)[1:] == [*others, alone, behind]
    assert driver.answers[others[0]].kind == "cancelled"


def test_a_stop_that_comes_when_no_others_run_any_more_is_ignored(driver):
    [alone] = driver.run_all([{"code": "return 1"}], function="do", per_process=1)
    driver.answer(alone)

    driver.stop(alone)

    [again] = driver.run_all([{"code": "return 2"}], function="do", per_process=1)
    assert driver.answer(again).value == 2


def test_both_ways_share_one_event_loop_and_so_its_clients(driver):
    code = "KEPT.append(asyncio.get_running_loop())\nreturn len(set(map(id, KEPT)))"

    for per_process in (100, 1, 100, 1):
        [serial] = driver.run_all([{"code": code}], function="do", per_process=per_process)
        assert driver.answer(serial).value == 1


def test_frames_that_come_in_pieces_are_put_together(driver):
    big = "x" * 300_000

    serials = driver.do(*[f"return len({big!r})"] * 20)

    assert [a.value for a in driver.all(serials)] == [300_000] * 20
