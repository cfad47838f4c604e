"""Generators: items told one by one, the list of them or what was returned as the result."""

from __future__ import annotations

import pytest

from penstock import Context
from runtime.errors import ResultNotSerializableError, ResultTooLargeError

SEEN: list[bytes] = []  # what functions here see and leave
MODEL = "from pydantic import BaseModel\nclass M(BaseModel):\n    a: int\n"


def run_generator(functions, reported=None, *, most=None):
    [function] = functions.values()
    reported = [] if reported is None else reported
    produced = function.call(
        b"{}", context=Context(), send_item=reported.append, most_item_bytes=most
    )
    return produced.result, reported


@pytest.mark.parametrize(
    ("code", "items"),
    [
        ("def sample():\n    yield 1\n    yield 'a'", [b"1", b'"a"']),
        ("async def sample():\n    yield 1\n    yield {'a': None}", [b"1", b'{"a":null}']),
        ("def sample():\n    return (n for n in range(2))", [b"0", b"1"]),
        ("def sample():\n    yield b'\\x00\\xff'", [b'"AP8="']),
        ("def sample():\n    return\n    yield", []),
        (
            MODEL + "from typing import Iterator\ndef sample() -> Iterator[M]:\n    yield M(a=1)",
            [b'{"a":1}'],
        ),
    ],
)
def test_each_item_is_told_and_the_list_is_the_result(load_source, code, items):
    result, reported = run_generator(load_source(code + "\n"))

    assert reported == items
    assert result == b"[" + b",".join(items) + b"]"


def test_an_item_is_told_before_the_next_one_is_asked_for(load_source):
    source = f"from {__name__} import SEEN\ndef sample():\n for n in range(3): yield len(SEEN)\n"
    SEEN.clear()

    run_generator(load_source(source), SEEN)

    assert SEEN == [b"0", b"1", b"2"]


@pytest.mark.parametrize(
    ("annotation", "returned", "result"),
    [
        ("", "9", b"9"),
        ("-> Iterator[int]", "{'sum': 1}", b'{"sum":1}'),
        ("-> Generator[int, None, dict[str, int]]", "{'sum': 1}", b'{"sum":1}'),
        ("-> Generator[int, None, int | None]", "None", b"[1]"),
        ("-> Generator[int, None, int | None]", "7", b"7"),
        ("", "b'raw'", b"raw"),
    ],
)
def test_what_a_generator_returns_is_the_result_unless_it_is_none(
    load_source, annotation, returned, result
):
    source = (
        "from typing import Generator, Iterator\n"
        f"def sample() {annotation}:\n    yield 1\n    return {returned}\n"
    )

    assert run_generator(load_source(source)) == (result, [b"1"])


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        ("Iterator[int]", {"type": "array", "items": {"type": "integer"}}),
        ("Generator[int, None, None]", {"type": "array", "items": {"type": "integer"}}),
        ("Generator[int, None, str]", {"type": "string"}),
    ],
)
def test_the_result_s_schema_is_of_the_list_or_of_what_is_returned(load_source, annotation, schema):
    source = (
        "from typing import Generator, Iterator\n"
        f"def sample() -> {annotation}:\n    yield 1\n    return 'x'\n"
    )

    [function] = load_source(source).values()

    assert function.manifest.returns == schema


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_items_are_no_longer_than_a_result_and_an_endless_generator_is_closed(load_source, kind):
    source = (
        f"from {__name__} import SEEN\n{kind} sample():\n"
        "    try:\n        while True: yield 'xxxxxxxx'\n"
        "    finally: SEEN.append(b'closed')\n"
    )
    SEEN.clear()
    functions, reported = load_source(source), []

    with pytest.raises(ResultTooLargeError, match="at most 100 are kept"):
        run_generator(functions, reported, most=100)

    assert len(reported) == 9
    assert SEEN == [b"closed"]


def test_as_many_items_are_kept_as_fit_exactly(load_source):
    functions = load_source("def sample():\n    yield 12\n    yield 34\n")

    assert run_generator(functions, most=len(b"[12,34]"))[0] == b"[12,34]"
    with pytest.raises(ResultTooLargeError):
        run_generator(functions, most=len(b"[12,34]") - 1)


@pytest.mark.parametrize(
    ("value", "said"),
    [("object()", r"result\[1\] is of type object"), ("float('nan')", r"result\[1\] is nan")],
)
def test_an_item_without_json_form_is_named_by_its_place(load_source, value, said):
    functions, reported = load_source(f"def sample():\n    yield 0\n    yield {value}\n"), []

    with pytest.raises(ResultNotSerializableError, match=said):
        run_generator(functions, reported)

    assert reported == [b"0"]


def test_items_nest_one_level_less_than_results_as_they_stand_in_a_list(load_source):
    source = (
        "def sample():\n    value = 0\n    for _ in range({}): value = [value]\n    yield value\n"
    )

    assert run_generator(load_source(source.format(63)))[0].count(b"[") == 64
    with pytest.raises(ResultNotSerializableError, match="64 levels"):
        run_generator(load_source(source.format(64)))
