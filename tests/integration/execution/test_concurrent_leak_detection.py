"""What one of many attempts leaves in its runner: it ends with it, or is told."""

from __future__ import annotations

import pytest

LEAVING = {
    "task": "KEPT.append(asyncio.create_task(asyncio.sleep(30)))",
    "task of a task": """
async def inner():
    KEPT.append(asyncio.create_task(asyncio.sleep(30)))
await asyncio.create_task(inner())""",
    "task that says so": """
async def inner():
    try:
        await asyncio.sleep(30)
    finally:
        print('ended')
KEPT.append(asyncio.create_task(inner()))
await asyncio.sleep(0)""",
    "generator": """
async def inner():
    try:
        yield 1
        yield 2
    finally:
        print('ended')
KEPT.append(inner())
await anext(KEPT[-1])""",
    "thread that ends": "threading.Thread(target=time.sleep, args=(0.01,)).start()",
    "process that ends": "subprocess.Popen(['true'])",
    "task of another factory": """
def make(loop, coro, **options):
    return asyncio.Task(coro, loop=loop, **options)
asyncio.get_running_loop().set_task_factory(make)
KEPT.append(asyncio.create_task(asyncio.sleep(30)))""",
}


@pytest.mark.parametrize("name", LEAVING)
def test_what_one_leaves_is_ended_with_it(driver, name):
    others = driver.run_all([{"s": 0.5}] * 3, function="sleep")
    check = "return sum(not one.done() for one in KEPT if isinstance(one, asyncio.Task))"
    ill = driver.do(LEAVING[name], LEAVING[name])

    answers = driver.all(ill)
    left = driver.answer(driver.do(check)[0])

    assert [answer.ending.left for answer in answers] == ["", ""]
    assert left.value == 0
    assert {driver.log(serial) for serial in ill} <= {"", "ended\n"}
    if "ended" in LEAVING[name]:
        assert driver.log(ill[0]) == "ended\n"
    assert [answer.kind for answer in driver.all(others)] == ["succeeded"] * 3


TO_THREAD = "KEPT.append(asyncio.create_task(asyncio.to_thread(time.sleep, 3)))"
RAW_THREAD = "import _thread\n_thread.start_new_thread(lambda: time.sleep(3), ())"
STUBBORN = """async def inner():
    while True:
        try: await asyncio.sleep(30)
        except asyncio.CancelledError: pass
KEPT.append(asyncio.create_task(inner()))
await asyncio.sleep(0)"""


@pytest.mark.parametrize(
    ("code", "left"),
    [
        (STUBBORN, "an asyncio task that does not end when it is cancelled"),
        ("threading.Thread(target=time.sleep, args=(30,), daemon=True).start()", "a thread"),
        (f"{TO_THREAD}\nawait asyncio.sleep(0.05)", "a thread"),
        ("asyncio.get_running_loop().run_in_executor(None, time.sleep, 3)", "a thread"),
    ],
)
def test_what_does_not_end_is_told_and_the_others_go_on(driver, code, left):
    others = driver.do(*["await asyncio.sleep(1.5)\nreturn 'good'"] * 3)
    [ill] = driver.do(code)

    assert driver.answer(ill).ending.left == left
    assert [answer.value for answer in driver.all(others)] == ["good"] * 3
    assert [answer.ending.left for answer in driver.all(others)] == ["", "", ""]


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("POOL.submit(time.sleep, 3)", "a thread"),
        ("subprocess.Popen(['sleep', '30'])", "a child process"),
        (f"{RAW_THREAD}\nawait asyncio.sleep(0.01)", "a thread"),
    ],
)
def test_what_cannot_be_told_apart_is_told_when_the_last_one_ends(driver, code, left):
    [ill, last] = driver.do(code, "await asyncio.sleep(0.3)")

    assert driver.answer(ill).ending.left == ""
    assert driver.answer(last).ending.left == left
