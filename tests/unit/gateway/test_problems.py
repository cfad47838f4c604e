"""Problems: stable codes, one table, RFC 9457."""

from __future__ import annotations

import json

import pytest

from gateway.asgi.error_handlers import problem_of
from gateway.problems import KINDS, ProblemError, encode_problem
from runtime import errors


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_code_makes_a_complete_problem(code):
    problem = json.loads(encode_problem(code, "what happened", instance="/a b"))

    assert problem["status"] == KINDS[code].status
    assert problem["type"] == f"/problems/{code}"
    assert problem["code"] == code
    assert problem["instance"] == "/a%20b"
    assert KINDS[code].meaning


def test_503_always_says_when_to_try_again():
    for code, kind in KINDS.items():
        if kind.status == 503:
            assert ProblemError(code, "").headers["Retry-After"]


def test_errors_of_arguments_keep_their_pointers():
    fault = errors.ArgumentFault(pointer="/a", detail="is required")

    problem = problem_of(errors.ArgumentsError((fault,)))

    assert json.loads(problem.encode("/x"))["errors"] == [
        {"pointer": "/a", "detail": "is required"}
    ]


def test_members_are_spliced_in_as_they_are():
    problem = ProblemError("function_failed", "x", members={"invocation": b'{"a" : 1.0}'})

    assert b'"invocation":{"a" : 1.0}' in problem.encode(None)


def test_an_error_without_a_status_tells_nothing_of_our_insides():
    problem = problem_of(errors.ProcessError("/secret/path"))

    assert problem.code == "internal_error"
    assert "secret" not in problem.detail


def test_an_error_of_the_store_without_a_code_of_its_own_is_503():
    assert problem_of(errors.StoreError("ERR secret")).code == "store_unavailable"
