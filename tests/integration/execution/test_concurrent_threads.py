"""`def` functions that a runner runs at the same time, in threads of its own."""

from __future__ import annotations

import os
import signal
import time

import pytest

from runtime.execution import runner_protocol as frames
from tests.support.runner_driver import MIB, RunnerDriver
from tests.support.waiting import allowed, eventually


def run_codes(driver: RunnerDriver, *codes: str, per_process: int = 20) -> list[int]:
    """Run code in attempts of their own, sent at once."""
    return driver.run_all(
        [{"code": code} for code in codes], function="plain", per_process=per_process
    )


def test_no_more_run_than_may_and_the_others_follow(driver):
    code = "KEPT.append(1)\ntime.sleep(0.1)\nresult = len(KEPT)\nKEPT.pop()"

    answers = driver.all(run_codes(driver, *[code] * 12, per_process=3))

    assert max(answer.value for answer in answers) == 3


def test_threads_are_kept(driver):
    code = "result = threading.get_ident()\ntime.sleep(0.05)"
    before = {answer.value for answer in driver.all(run_codes(driver, *[code] * 5))}

    after = {answer.value for answer in driver.all(run_codes(driver, *[code] * 5))}

    assert len(before) == 5
    assert after == before


def test_what_each_tells_is_told_apart(driver):
    code = """
print("begin {who}", end="")
time.sleep(0.01)
print(" end {who}")
LOG.warning("record of {who}")
ctx.log.info("ctx.log of {who}")
ctx.progress(1, 2, "{who}")
ctx.emit("{who}")
thread = threading.Thread(target=print, args=("thread of {who}",))
thread.start()
thread.join()
asyncio.run(in_task("{who}"))
"""
    serials = run_codes(driver, *(code.replace("{who}", f"n{n}") for n in range(10)))

    driver.all(serials)

    for n, serial in enumerate(serials):
        assert driver.log(serial).splitlines() == [
            f"begin n{n} end n{n}",
            f"WARNING of.the.file: record of n{n}",
            f"INFO penstock.function: ctx.log of n{n}",
            f"thread of n{n}",
            f"task of n{n}",
        ]
        assert driver.reported(serial, "progress") == [{"done": 1, "total": 2, "message": f"n{n}"}]
        assert driver.reported(serial, "event") == [f"n{n}"]


def test_generators_run_in_threads_too(make_driver):
    source = """
    import time
    def f(who: str):
        for n in range(3):
            time.sleep(0.1)
            yield [who, n]
    """
    driver = make_driver(source, per_process=10)
    began_at = time.monotonic()

    serials = driver.run_all([{"who": who} for who in "abcdefghij"])

    for who, serial, answer in zip("abcdefghij", serials, driver.all(serials), strict=True):
        assert driver.reported(serial, "item") == answer.value == [[who, n] for n in range(3)]
    assert time.monotonic() - began_at < allowed(2.5)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("raise ValueError", "exception"),
        ("sys.exit(3)", "exited"),
        ("raise MemoryError", "out_of_memory"),
        ("raise KeyboardInterrupt", "exception"),
    ],
)
def test_how_one_ends_is_told_of_it_and_of_no_other(driver, code, kind):
    good = run_codes(driver, *["time.sleep(0.2)\nresult = 'good'"] * 5)
    [ill] = run_codes(driver, code)

    assert driver.answer(ill).kind == kind
    assert [answer.value for answer in driver.all(good)] == ["good"] * 5


@pytest.mark.parametrize(
    ("why", "kind"), [(frames.TIMEOUT, "timeout"), (frames.CANCELLED, "cancelled")]
)
def test_a_stop_interrupts_one_and_no_other(driver, why, kind):
    code = "print('begun')\nwhile not KEPT: time.sleep(0.01)\nresult = 'good'"
    serials = run_codes(driver, *[code] * 3)
    driver.read_until(lambda: all(driver.log(serial) for serial in serials))

    driver.stop(serials[1], why)

    assert driver.answer(serials[1]).kind == kind
    run_codes(driver, "KEPT.append(1)")
    assert [driver.answer(serials[n]).value for n in (0, 2)] == ["good", "good"]


def test_whoever_swallows_the_interruption_sees_that_it_is_cancelled(driver):
    code = """
texts = ["begun"]
while True:
    try:
        while texts:
            print(texts.pop())
        while not ctx.cancelled:
            time.sleep(0.01)
        time.sleep(0.1)
        break
    except BaseException:
        pass
print("seen")
"""
    [serial] = run_codes(driver, code)
    driver.read_until(lambda: driver.log(serial))

    driver.stop(serial)

    assert driver.answer(serial).kind == "cancelled"
    assert driver.log(serial) == "begun\nseen\n"


def test_a_stop_of_one_that_waits_for_a_thread_is_obeyed_at_once(driver):
    [first, waiting] = run_codes(
        driver, "while not KEPT: time.sleep(0.01)", "print('begun')", per_process=2
    )
    run_codes(driver, "while not KEPT: time.sleep(0.01)", per_process=2)
    [waiting] = run_codes(driver, "print('begun')", per_process=2)

    driver.stop(waiting)

    assert driver.answer(waiting).kind == "cancelled"
    assert driver.log(waiting) == ""
    driver.stop(first)


def test_a_stop_while_it_tells_cuts_no_frame_in_two(driver):
    """An interruption may come between any two lines, also of ours."""
    code = "print('begun')\nn = 0\nwhile True:\n    ctx.emit(str(n) + 'x' * 5000)\n    n += 1"
    for _ in range(20):
        serials = run_codes(driver, *[code] * 4)
        driver.read_until(lambda serials=serials: all(driver.log(serial) for serial in serials))
        for serial in serials:
            driver.stop(serial, frames.TIMEOUT)
        answers = driver.all(serials, within_s=30)
        assert [answer.kind for answer in answers] == ["timeout"] * 4
        for serial in serials:
            reported = [int(event.rstrip("x")) for event in driver.reported(serial, "event")]
            assert reported == [*range(len(reported))]

    assert driver.answer(run_codes(driver, "result = 1")[0]).value == 1


def test_a_death_is_blamed_on_those_in_threads(driver):
    others = run_codes(driver, *["print('begun')\ntime.sleep(30)"] * 3)
    driver.read_until(lambda: all(driver.log(serial) for serial in others))
    [done] = run_codes(driver, "result = 1")
    driver.answer(done)
    assert eventually(lambda: driver.executing() == set(others))

    os.kill(driver.pid, signal.SIGKILL)

    driver.await_end()
    assert driver.executing() == set(others)


def test_nobody_is_blamed_who_waits_for_a_thread(driver):
    code = "print('begun')\ntime.sleep(30)"
    serials = run_codes(driver, code, code, code, per_process=2)
    driver.read_until(lambda: sum(bool(driver.log(serial)) for serial in serials) == 2)

    assert driver.executing() == {serial for serial in serials if driver.log(serial)}


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "a thread"),
        ("threading.Thread(target=time.sleep, args=(0.01,)).start()", ""),
    ],
)
def test_a_thread_that_one_leaves_is_told(driver, code, left):
    others = run_codes(driver, "time.sleep(0.3)")
    [ill] = run_codes(driver, code)

    assert driver.answer(ill).ending.left == left
    assert driver.answer(others[0]).ending.left == ""


def test_a_process_that_is_left_is_told_when_the_last_one_ends(driver):
    [ill] = run_codes(driver, "subprocess.Popen(['sleep', '30'])")

    assert driver.answer(ill).ending.left == "a child process"


def test_a_fork_that_returns_answers_nothing(driver):
    [serial] = run_codes(driver, "os.fork()\nresult = os.getpid()")

    assert driver.answer(serial).value == driver.pid
    assert driver.answers[serial].ending.left == ""
    assert driver.answer(run_codes(driver, "result = 1")[0]).value == 1


def test_no_memory_for_another_thread_lets_attempts_wait(make_driver):
    driver = make_driver(memory_bytes=120 * MIB)

    answers = driver.all(run_codes(driver, *["time.sleep(0.01)"] * 300, per_process=300))

    assert [answer.kind for answer in answers] == ["succeeded"] * 300


def test_a_sequential_attempt_finds_nothing_left_of_the_threads(driver):
    driver.all(run_codes(driver, *["time.sleep(0.05)"] * 5))

    [alone] = run_codes(driver, "result = threading.active_count()", per_process=1)

    assert driver.answer(alone).value == 2
    assert driver.answers[alone].ending.left == ""
    assert driver.answer(run_codes(driver, "result = 1")[0]).value == 1


def test_ten_thousand_attempts_leave_nothing_behind(driver):
    census = (
        "import gc\ngc.collect()\npages = int(open('/proc/self/statm').read().split()[1])\n"
        "result = [len(gc.get_objects()), pages * 4096, threading.active_count()]"
    )

    def run_many(count: int) -> list[int]:
        for _ in range(count // 500):
            driver.all(run_codes(driver, *["print('x')\nctx.progress(1)"] * 500), within_s=30)
        driver.notes.clear()
        return driver.answer(run_codes(driver, census)[0]).value

    before = run_many(3_000)
    after = run_many(10_000)

    assert after[0] < before[0] + 2_000
    assert after[1] < before[1] + 4 * MIB
    assert after[2] == before[2]


def test_threads_that_tell_much_wait_for_the_worker_and_lose_nothing(driver):
    code = "for n in range(40): ctx.emit(str(n) + 'x' * 200_000)"
    serials = run_codes(driver, *[code] * 4)
    assert eventually(driver.is_asleep)

    driver.all(serials, within_s=30)

    for serial in serials:
        reported = [event.rstrip("x") for event in driver.reported(serial, "event")]
        assert reported == [str(n) for n in range(40)]
