"""What attempts tell that run in a runner at the same time: each is told of its own."""

from __future__ import annotations


def test_output_of_many_is_told_apart(driver):
    names = [f"n{n}" for n in range(20)]

    serials = driver.run_all([{"who": who} for who in names], function="say")

    assert [answer.value for answer in driver.all(serials)] == names
    for who, serial in zip(names, serials, strict=True):
        assert sorted(driver.log(serial).splitlines()) == sorted(
            [
                f"begin {who} end {who}",
                f"error of {who}",
                f"bytes of {who}",
                f"INFO of.the.file: record of {who}",
                f"console of {who}",
                f"WARNING penstock.function: ctx.log of {who}",
                f"task of {who}",
                f"task of {who}",
                f"thread of {who}",
                f"executor of {who}",
                f"own thread of {who}",
                f"callback of {who}",
                f"rest of {who}",
            ]
        )
        assert driver.reported(serial, "progress") == [{"done": 1, "total": 2, "message": who}]
        assert driver.reported(serial, "event") == [{"of": who}]
    assert not driver.notes[0]


def test_items_of_async_generators_come_as_they_are_yielded(driver):
    serials = driver.run_all([{"who": who} for who in "abc"], function="items")

    answers = driver.all(serials)

    for who, serial, answer in zip("abc", serials, answers, strict=True):
        assert driver.reported(serial, "item") == answer.value == [[who, n] for n in range(3)]


def test_an_item_is_told_before_the_next_one_is_there(driver):
    code = "GATE['gate'] = asyncio.Event()\nawait GATE['gate'].wait()"
    [waiting] = driver.do(f"print('first')\n{code}\nprint('second')")

    driver.read_until(lambda: driver.log(waiting) == "first\n")

    driver.answer(driver.run(function="open_gate"))
    driver.answer(waiting)
    assert driver.log(waiting) == "first\nsecond\n"


def test_the_beginning_of_a_line_is_told_at_the_end_of_the_turn(driver):
    code = "print('.', end='')\nGATE['gate'] = asyncio.Event()\nawait GATE['gate'].wait()"
    [waiting] = driver.do(code)

    driver.read_until(lambda: driver.log(waiting) == ".")


def test_output_is_cut_per_attempt(driver):
    code = "for n in range(50): print('x' * 99)"

    serials = driver.do(code, code)

    driver.all(serials)
    for serial in serials:
        assert driver.log(serial).startswith(("x" * 99 + "\n") * 40)
        assert driver.log(serial).endswith("[output truncated: at most 4000 bytes are kept]\n")


def test_what_a_process_prints_belongs_to_the_only_attempt_or_to_none(driver):
    echo = "await (await asyncio.create_subprocess_exec('echo', 'hello')).wait()"
    [alone] = driver.do(echo)
    driver.answer(alone)

    others = driver.do("await asyncio.sleep(0.3)", f"{echo}\nawait asyncio.sleep(0.2)")
    driver.all(others)

    assert driver.log(alone) == "hello\n"
    assert [driver.log(serial) for serial in others] == ["", ""]
    assert driver.log(0) == "hello\n"


def test_what_c_code_prints_last_is_in_the_log_of_its_attempt(driver):
    for n in range(50):
        [serial] = driver.do(f"os.write(1, b'hello {n}')")
        driver.answer(serial)
        assert driver.log(serial) == f"hello {n}"
