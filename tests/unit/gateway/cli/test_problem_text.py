"""Problems in sentences."""

from __future__ import annotations

import json

import pytest

from gateway.cli.errors import _NEXT_STEPS, describe_problem
from gateway.problems import KINDS


def test_a_problem_is_told_with_its_code_and_the_next_step():
    body = json.dumps(
        {"title": "Unknown queue", "detail": "No queue x.", "code": "queue_not_found"}
    )

    said = describe_problem(404, body.encode())

    assert said == "No queue x. (queue_not_found); `penstock queues` lists all queues"


def test_every_wrong_argument_is_named():
    errors = [{"pointer": "/a", "detail": "is required"}, {"pointer": "", "detail": "no object"}]
    body = json.dumps({"title": "Invalid arguments", "code": "arguments_invalid", "errors": errors})

    said = describe_problem(422, body.encode())

    assert said == "Invalid arguments (arguments_invalid)\n  /a: is required\n  /: no object"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"errors": [1]}'])
def test_what_is_no_problem_is_told_by_its_status(body: bytes):
    assert "502" in describe_problem(502, body)


def test_steps_are_of_codes_there_are():
    assert set(_NEXT_STEPS) <= set(KINDS)
