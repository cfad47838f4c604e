"""Every way an invocation can end badly, made to happen and seen by HTTP."""

from __future__ import annotations

import pytest

from tests.support.system import System

ENDINGS = [
    ("raise_error", "exception", 502, "this went wrong"),
    ("sleep_too_long", "timeout", 504, ""),
    ("match_too_long", "timeout", 504, ""),
    ("exit_politely", "exited", 502, "3"),
    ("exit_rudely", "exited", 502, "3"),
    ("crash", "worker_lost", 502, ""),
    ("eat_memory", "out_of_memory", 502, ""),
    ("return_an_object", "result_not_serializable", 502, ""),
    ("return_too_much", "result_too_large", 502, ""),
    ("reject", "rejected", 422, "not with me"),
]


@pytest.mark.parametrize(("function", "error_type", "status", "reported"), ENDINGS)
def test_a_bad_ending_is_told_by_its_type(
    system: System, function: str, error_type: str, status: int, reported: str
) -> None:
    answer = system.call(function, wait_s=20)

    problem = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    codes = {422: "rejected", 502: "function_failed", 504: "function_timeout"}
    assert problem["code"] == codes[status]
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


def test_a_function_that_kills_its_runner_is_given_up_after_three_attempts(system: System) -> None:
    invocation = system.call("crash", wait_s=20).json()["invocation"]

    assert (invocation["attempt"], invocation["error"]["type"]) == (3, "worker_lost")
