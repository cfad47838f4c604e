"""How an invocation that ends badly is told by HTTP; tests/hostile has every way to end so."""

from __future__ import annotations

import pytest

from tests.support.system import System


@pytest.mark.parametrize(
    ("function", "error_type", "status", "code", "reported"),
    [
        ("raise_error", "exception", 502, "function_failed", "this went wrong"),
        ("sleep_too_long", "timeout", 504, "function_timeout", "ran longer than 1 s"),
    ],
)
def test_a_bad_ending_is_told_by_its_type(
    system: System, function: str, error_type: str, status: int, code: str, reported: str
) -> None:
    answer = system.call(function, wait_s=20)

    problem = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == code
    assert problem["invocation"]["status"] == "failed"
    error = problem["invocation"]["error"]
    assert error["type"] == error_type
    assert reported in error["message"]
    found = system.invocation(problem["invocation"]["id"])
    assert found["error"] == error
    assert system.call("hello", wait_s=10).json()["result"] == "Hello, world!"


def test_an_exception_names_its_type_and_where_it_was_raised(system: System) -> None:
    error = system.call("raise_error", wait_s=20).json()["invocation"]["error"]

    assert error["exception_type"] == "ValueError"
    assert "endings.py" in error["traceback"]
    assert 'raise ValueError("this went wrong")' in error["traceback"]
