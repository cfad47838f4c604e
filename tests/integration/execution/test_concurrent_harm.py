"""One of many attempts in a runner that does harm: it alone is to blame, and the rest goes on."""

from __future__ import annotations

import os
import signal

import pytest

from tests.support.waiting import eventually

GOOD = "await asyncio.sleep(0.2)\nreturn 'good'"


def test_an_exit_of_the_process_is_of_the_one_that_called_it(driver):
    driver.run_all([{"s": 30}] * 99, function="sleep")
    [ill] = driver.do("await asyncio.sleep(0.05)\nprint('last words')\nos._exit(7)")

    ended = driver.await_end()

    assert ended.code == 7
    assert driver.executing() == {ill}
    assert driver.log(ill) == "last words\n"


@pytest.mark.parametrize(
    "code",
    [
        "await asyncio.create_task(asyncio.to_thread(lambda: (block(0.1), ctypes.string_at(0))))",
        "await asyncio.to_thread(lambda: (block(0.1), os._exit(1)))",
        """
def exit():
    block(0.1)
    os._exit(1)
await asyncio.get_running_loop().run_in_executor(None, exit)""",
        "asyncio.get_running_loop().call_soon(ctypes.string_at, 0)\nawait asyncio.sleep(9)",
        "asyncio.get_running_loop().call_later(0.1, ctypes.string_at, 0)\nawait asyncio.sleep(9)",
        """
import socket
a, b = socket.socketpair()
asyncio.get_running_loop().add_reader(a, ctypes.string_at, 0)
b.send(b'x')
await asyncio.sleep(9)""",
        """
async def inner():
    ctypes.string_at(0)
async with asyncio.TaskGroup() as group:
    group.create_task(inner())""",
        """
future = asyncio.get_running_loop().create_future()
future.add_done_callback(lambda _: ctypes.string_at(0))
future.set_result(1)
await asyncio.sleep(9)""",
    ],
)
def test_a_death_is_blamed_on_whose_code_was_executed(driver, code):
    driver.run_all([{"s": 30}] * 20, function="sleep")
    [ill] = driver.do(code)
    driver.run_all([{"s": 30}] * 20, function="sleep")

    driver.await_end()

    assert driver.executing() == {ill}


def test_whoever_blocks_the_loop_is_warned_with_the_line(make_driver):
    driver = make_driver(loop_stall_s=0.2)
    others = driver.run_all([{"s": 0.01}] * 5, function="sleep")
    [ill, fine] = driver.do("await asyncio.sleep(0.05)\nblock(0.8)", GOOD)

    driver.all([ill, fine, *others])

    [line] = driver.log(ill).splitlines()
    assert line.startswith("[the event loop was blocked for 0.")
    assert line.endswith(", in block: no other call in this process could run]")
    where = line.partition(" at ")[2].partition(",")[0]
    path, number = where.split(":")
    assert path == "/srv/functions/f.py"
    assert driver.source_line(int(number)) == "    time.sleep(s)"
    assert driver.log(fine) == ""


def test_the_warning_comes_while_the_loop_is_still_blocked(make_driver):
    driver = make_driver(loop_stall_s=0.2)
    [ill] = driver.do("block(30)")

    driver.read_until(lambda: "blocked" in driver.log(ill), within_s=5)


def test_whoever_blocks_in_c_code_that_keeps_pythons_lock_is_warned_too(make_driver):
    driver = make_driver(loop_stall_s=0.2)
    code = "import re\nre.match('(a+)+b', 'a' * 27)"
    [ill] = driver.do(f"await asyncio.sleep(0.1)\n{code}")

    assert driver.answer(ill, within_s=30).ran_s > 0.4

    assert "blocked" in driver.log(ill)


def test_answers_of_others_do_not_wait_for_whoever_blocks(make_driver):
    driver = make_driver(loop_stall_s=20)
    quick, ill = driver.do("return 'quick'", "block(30)")

    assert driver.answer(quick, within_s=15).value == "quick"  # before there is a warning
    assert driver.executing() == {ill}


def test_a_fork_runs_nothing_of_the_others(driver):
    others = driver.do(*["await asyncio.sleep(0.3)\nprint(os.getpid())"] * 5)
    [ill] = driver.do("os.fork()\nawait asyncio.sleep(0.1)\nreturn os.getpid()")

    assert driver.answer(ill).value == driver.pid
    driver.all(others)
    assert [driver.log(serial) for serial in others] == [f"{driver.pid}\n"] * 5
    assert {driver.answers[serial].ending.left for serial in others} == {""}


def test_a_forked_process_may_print_and_changes_nothing(driver):
    code = (
        "import multiprocessing as m\np = m.get_context('fork').Process(target=print, args=('x',))"
    )
    [serial] = driver.do(f"{code}\np.start()\nawait asyncio.to_thread(p.join)\nreturn p.exitcode")

    assert driver.answer(serial).value == 0
    assert driver.log(serial) == "x\n"


def test_a_loop_that_is_stopped_goes_on(driver):
    others = driver.do(*[GOOD] * 3)
    [ill] = driver.do("asyncio.get_running_loop().stop()\nreturn 1")

    assert driver.answer(ill).value == 1
    assert [answer.value for answer in driver.all(others)] == ["good"] * 3


def test_whoever_cancels_all_tasks_leaves_nobody_without_an_answer(driver):
    [busy] = driver.do("print('busy')\nblock(0.3)")
    driver.read_until(lambda: driver.log(busy))
    running = driver.do(
        "for task in asyncio.all_tasks(): task.cancel()",
        *["await asyncio.sleep(0.1)\nreturn 'good'"] * 5,
    )

    answers = driver.all(running)

    assert {answer.kind for answer in answers} <= {"succeeded", "exception"}
    assert driver.answer(driver.run(function="sleep")).kind == "succeeded"


def test_closed_streams_harm_nobody_for_long(driver):
    [ill, other] = driver.do(
        "sys.stdout.close()\nos.close(1)\nos.close(2)", "await asyncio.sleep(0.05)\nprint('here')"
    )
    driver.all([ill, other])
    [later] = driver.do(
        "print('later')\nawait (await asyncio.create_subprocess_exec('echo', 'too')).wait()"
    )

    assert driver.answer(later).kind == "succeeded"
    assert driver.log(other) == "here\n"
    assert driver.log(later) == "later\ntoo\n"


def test_nothing_of_one_is_heard_after_its_answer(driver):
    code = "asyncio.get_running_loop().call_later(0.1, print, 'late')\nctx = None\nreturn 1"
    [ill] = driver.do(code)
    driver.answer(ill)

    driver.answer(driver.run(function="sleep", s=0.3))

    assert driver.log(ill) == ""
    assert not driver.notes[0]


def test_a_runner_whose_worker_is_gone_ends(driver):
    driver.run_all([{"s": 30}] * 5, function="sleep")

    driver.hang_up()

    assert eventually(lambda: not os.path.exists(f"/proc/{driver.pid}"))  # noqa: PTH110


def test_garbage_on_the_channel_ends_the_runner(driver):
    driver.answer(driver.run(function="sleep"))

    driver.send_raw(b"garbage, and no frame at all")

    assert driver.await_end().signal == signal.SIGKILL
