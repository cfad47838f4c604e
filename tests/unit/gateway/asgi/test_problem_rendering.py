"""Problems are JSON, and on the paths of OpenFaaS one line of text."""

from __future__ import annotations

import json

import pytest

from gateway.asgi.problem_rendering import render_problem
from gateway.problems import ProblemError

FAILED = ProblemError("function_failed", "hello failed with ValueError: no\nway")


@pytest.mark.parametrize("path", ["/functions/hello", "/systems", "/", "/function", "/livez"])
@pytest.mark.parametrize("accept", [None, "text/plain"])
def test_everywhere_else_a_problem_is_json(path: str, accept: str | None):
    status, body, media_type, _ = render_problem(FAILED, path, accept)

    assert (status, media_type) == (502, "application/problem+json")
    assert json.loads(body)["status"] == 502


@pytest.mark.parametrize(
    "path", ["/function/hello", "/async-function/hello/x", "/system/functions", "/healthz"]
)
@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "text/plain",
        "application/*",
        "application/json;q=0",
        "application/json; q=0.000",
    ],
)
def test_on_the_paths_of_openfaas_it_is_one_line_of_text(path: str, accept: str | None):
    status, body, media_type, _ = render_problem(FAILED, path, accept)

    assert (status, media_type) == (500, "text/plain; charset=utf-8")
    assert body == b"hello failed with ValueError: no way\n"


@pytest.mark.parametrize(
    "accept",
    [
        "application/problem+json",
        "text/html, Application/JSON;q=0.1",
        "application/json; q=0.5; charset=utf-8",
    ],
)
def test_there_it_is_json_for_who_names_it(accept: str):
    status, body, media_type, _ = render_problem(FAILED, "/function/hello", accept)

    assert (status, media_type) == (500, "application/problem+json")
    assert json.loads(body)["status"] == 500
    assert json.loads(body)["code"] == "function_failed"


def test_only_a_failed_function_has_another_status_there():
    for code in ("function_timeout", "unauthenticated", "function_not_found", "rate_limited"):
        problem = ProblemError(code, "x")

        assert render_problem(problem, "/function/x", None).status == problem.status


def test_text_that_is_no_unicode_can_be_sent():
    assert render_problem(ProblemError("not_found", "\udc80"), "/system/x", None).body == b"?\n"
