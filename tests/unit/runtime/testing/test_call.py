"""`call` treats arguments and results as a system does, and gets out of the way otherwise."""

from __future__ import annotations

import asyncio
import traceback
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from penstock import Context, Reject, Request, Retry
from penstock.testing import ArgumentsError, LoadError, ResultNotSerializableError, call
from tests.unit.runtime.testing import functions_to_call as functions
from tests.unit.runtime.testing.functions_to_call import Colour, Order


def faults_of(target, **arguments) -> list[tuple[str, str]]:
    with pytest.raises(ArgumentsError) as refused:
        call(target, **arguments)
    return [(fault.pointer, fault.detail) for fault in refused.value.faults]


def test_defaults_apply():
    assert call(functions.shout, text="a") == "AA"
    assert call(functions.shout, text="a", times=1) == "A"


def test_arguments_are_refused_with_the_errors_of_a_caller():
    assert faults_of(functions.shout, text="a", times="3") == [
        ("/times", 'the value is not of type "integer"')
    ]
    assert faults_of(functions.shout, tekst="a") == [
        ("/tekst", "is not an argument; did you mean 'text'?"),
        ("/text", "is required"),
    ]


def test_what_only_the_runner_can_check_is_checked():
    assert faults_of(functions.take_even, number=3) == [("/number", "Value error, odd")]
    assert call(functions.take_even, number=4) == {"orderNumber": 4, "paid_at": None}


def test_python_values_become_json_and_then_the_types_of_the_function():
    order = Order(orderNumber=7, paid_at=datetime(2026, 1, 1, tzinfo=UTC))

    result = call(
        functions.typed,
        day=date(2026, 2, 28),
        price=Decimal("1.50"),
        raw=b"\xff\0",
        colour=Colour.RED,
        order=order,
        password=functions.SecretStr("s"),
    )

    assert result[:6] == ["date", "Decimal", "bytes", "Colour", "Order", "SecretStr"]
    assert result[6:] == ["1.50", "/wA=", 7, "s"]


def test_json_values_are_as_good():
    result = call(
        functions.typed,
        day="2026-02-28",
        price=1.5,
        raw="/wA=",
        colour="red",
        order={"orderNumber": 7},
        password="s",
    )

    assert result[6:] == ["1.5", "/wA=", 7, "s"]


def test_a_value_without_a_json_form_is_no_argument():
    with pytest.raises(TypeError, match=r"arguments\['text'\] is of type object"):
        call(functions.shout, text=object())


def test_bytes_stay_bytes():
    assert call(functions.backwards, content=b"ab\xff") == b"\xffba"


def test_a_result_of_another_type_is_refused():
    with pytest.raises(ResultNotSerializableError, match="declared return type"):
        call(functions.lie)


def test_a_generator_gives_its_items():
    assert call(functions.report) == [{"number": 1}, {"number": 2}]
    assert call(functions.stream, count=3) == [0, 1, 2]


@pytest.mark.parametrize(
    ("how", "kind"), [("retry", Retry), ("reject", Reject), ("key", KeyError), ("exit", SystemExit)]
)
def test_exceptions_come_out_as_they_are_with_the_author_s_lines_only(how, kind):
    with pytest.raises(kind) as raised:
        call(functions.fail, how=how)

    frames = traceback.extract_tb(raised.value.__traceback__)
    assert [frame.filename for frame in frames] == [__file__, functions.__file__]
    if kind is Retry:
        assert raised.value.after_s == 300


def test_a_first_attempt_is_injected_unless_the_test_says_otherwise():
    first = call(functions.look)
    given = Context(attempt=3, id="an id", timeout_s=7, is_cancelled=lambda: True)
    third = call(functions.look, ctx=given)

    assert first.pop("id").count("-") == 4
    assert first == {"function": "look", "attempt": 1, "cancelled": False, "remaining": 60}
    assert third == {
        "function": "look",
        "attempt": 3,
        "cancelled": True,
        "remaining": 7,
        "id": "an id",
    }


def test_the_callbacks_of_a_given_context_are_called():
    reports = []

    call(functions.report, ctx=Context(on_progress=lambda *said: reports.append(said)))

    assert reports == [(1, 2, "at 1"), (2, 2, "at 2")]


def test_a_request_is_injected_under_the_name_of_its_parameter():
    request = Request(method="PUT", headers={"X-Event": "paid"}, body=b"{}")

    assert call(functions.receive, request=request, name="n") == ["PUT", "paid", "{}", "n"]
    assert call(functions.receive) == ["POST", "", "", "-"]
    with pytest.raises(TypeError, match=r"request takes a penstock\.Request"):
        call(functions.receive, request={"body": ""})


def test_no_name_of_an_argument_is_taken():
    assert call(functions.plain_name, request="r", context=1, target="t") == ["r", 1, "t"]


def test_an_async_function_finds_the_same_loop_at_each_call():
    assert call(functions.wait_for) == call(functions.wait_for)


def test_a_test_s_own_event_loop_is_left_alone():
    async def in_a_loop() -> tuple[list[int], str, int, int]:
        here = id(asyncio.get_running_loop())
        loops = [call(functions.wait_for) for _ in range(2)]
        assert here not in loops
        beside = asyncio.create_task(asyncio.to_thread(call, functions.wait_for, seconds=0.05))
        turns = 0
        while not beside.done():
            await asyncio.sleep(0.005)
            turns += 1
        return loops, call(functions.own_loop), turns, await beside

    loops, ran, turns, _ = asyncio.run(in_a_loop())

    assert len(set(loops)) == 1
    assert ran == "ran"
    assert turns > 1


def test_a_function_that_cannot_be_published_is_refused():
    def with_stars(*numbers: int) -> None: ...

    with pytest.raises(LoadError, match=r"a JSON object has no value for \*numbers"):
        call(with_stars)
