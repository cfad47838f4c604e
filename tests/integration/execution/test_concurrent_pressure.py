"""Many attempts in a runner with little memory, or whose worker does not read."""

from __future__ import annotations

import contextlib
import time

from runtime.errors import ChannelClosedError
from runtime.execution import runner_protocol as frames
from tests.support.runner_driver import MIB
from tests.support.waiting import eventually


def test_no_memory_for_the_next_frame_is_told(make_driver):
    driver = make_driver(memory_bytes=200 * MIB)
    [ill] = driver.do("while True: KEPT.append(bytes(65_536))")
    assert driver.answer(ill).kind == "out_of_memory"

    with contextlib.suppress(ChannelClosedError):  # it does not even read it
        driver.do("x" * 40 * MIB)

    assert driver.await_end().code == 0
    assert driver.full.kind == "out_of_memory"


def test_a_worker_that_does_not_read_stops_nobody_until_much_waits(driver):
    big = "return 'x' * 1_000_000"
    serials = driver.do(*[big] * 6)  # more than a socket holds, less than the runner keeps
    [marked] = driver.do(f"KEPT.append(1)\nawait asyncio.sleep(0.1)\nKEPT.append(2)\n{big}")
    eventually(lambda: not driver.executing())

    answers = driver.all([*serials, marked])

    assert [len(answer.result) for answer in answers] == [1_000_002] * 7


def test_when_much_waits_the_runner_waits_and_blames_nobody(make_driver):
    driver = make_driver(loop_stall_s=0.5)
    before = driver.resident_bytes()
    serials = driver.do(*["await asyncio.sleep(0)\nprint('x' * 9)\nreturn 'x' * 1_999_000"] * 50)
    assert eventually(lambda: driver.resident_bytes() > before + 4 * MIB and driver.is_asleep())
    began_at = time.monotonic()

    assert eventually(lambda: time.monotonic() - began_at > 1 and driver.is_asleep())
    assert driver.resident_bytes() < before + 50 * MIB
    assert driver.executing() == set()
    answers = driver.all(serials, within_s=30)

    assert [len(answer.result) for answer in answers] == [1_999_002] * 50
    assert not any("blocked" in driver.log(serial) for serial in serials)


def test_ten_thousand_attempts_leave_nothing_behind(make_driver):
    driver = make_driver(per_process=1000)
    code = (
        "asyncio.create_task(asyncio.sleep(9))\nprint('x')\nawait asyncio.sleep(0)\n"
        "await asyncio.to_thread(time.time)"
    )
    census = (
        "import gc, resource\ngc.collect()\n"
        "pages = int(open('/proc/self/statm').read().split()[1])\n"
        "return [len(asyncio.all_tasks()), len(gc.get_objects()), pages * 4096, "
        "threading.active_count(), len(os.listdir('/proc/self/fd'))]"
    )

    def run(count: int) -> list[int]:
        for _ in range(count // 500):
            driver.all(driver.do(*[code] * 500), within_s=30)
        driver.notes.clear()
        return driver.answer(driver.do(census)[0]).value

    before = run(3_000)
    after = run(10_000)

    assert after[0] == before[0] == 1
    assert after[1] < before[1] + 2_000
    assert after[2] < before[2] + 4 * MIB
    assert after[3:] == before[3:]


def test_the_frame_stop_of_a_worker_may_come_at_any_time(driver):
    serials = driver.run_all([{"s": 0.001}] * 100, function="sleep")
    for serial in serials:
        driver.stop(serial, frames.CANCELLED)

    answers = driver.all(serials)

    assert {answer.kind for answer in answers} <= {"succeeded", "cancelled"}
