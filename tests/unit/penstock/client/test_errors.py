"""The errors of the client mirror the problems of the gateway."""

from __future__ import annotations

import copy
import pickle

import msgspec
import pytest

from gateway.invoke.invoker import ending_problem
from gateway.problems import KINDS, ProblemKind
from penstock.client import errors
from penstock.client.errors import ERRORS, FunctionFailedError, WaitTimeoutError, problem_error
from penstock.client.retrying import refusal_of
from penstock.client.values import ending_error
from runtime.invocations.record import Record
from runtime.invocations.status import Status
from runtime.invocations.view import invocation_json
from tests.support.scripted_flow import Answer, answer, problem

FAILURES = (
    *("exception", "timeout", "out_of_memory", "exited", "worker_lost", "rejected"),
    *("result_not_serializable", "result_too_large", "arguments_invalid"),
)


def test_every_problem_has_a_class():
    assert set(ERRORS) == set(KINDS)


@pytest.mark.parametrize("code", KINDS)
def test_what_says_when_to_try_again_is_tried_again(code: str):
    kind: ProblemKind = KINDS[code]
    says_when = kind.retry_after_s is not None and code != "invocation_unfinished"

    assert ERRORS[code].may_pass == says_when


@pytest.mark.parametrize(
    ("status", "kind"),
    [*((Status.FAILED, kind) for kind in FAILURES), (Status.CANCELLED, ""), (Status.EXPIRED, "")],
)
def test_a_record_that_was_read_raises_what_a_caller_who_waits_gets(status: Status, kind: str):
    fault = {"pointer": "/text", "detail": "is missing"}
    error = {"type": kind, "message": "no", "exception_type": "ValueError", "traceback": "T"}
    error |= {"errors": [fault]} if kind == "arguments_invalid" else {}
    record = Record(
        id="one",
        function="shout",
        version="v",
        queue="default",
        status=status,
        attempt=1,
        arguments=b"{}",
        created_at_ms=1,
        error=msgspec.json.encode(error) if kind else None,
    )
    told = ending_problem(record)
    assert told is not None

    waiting = refusal_of(Answer(status=told.status, body=told.encode("/functions/shout")))
    reading = ending_error(msgspec.json.decode(invocation_json(record)))

    assert isinstance(waiting, errors.InvocationError)
    assert type(reading) is type(waiting)
    assert reading is not None
    for name in ("code", "status", "errors", "invocation"):
        assert getattr(reading, name) == getattr(waiting, name), name
    assert reading.detail.casefold().rstrip(".") == waiting.detail.casefold().rstrip(".")
    if isinstance(reading, FunctionFailedError):
        said = (reading.error_type, reading.exception_type, reading.traceback)
        assert said == (kind, "ValueError", "T")


def test_a_problem_says_what_to_do():
    error = refusal_of(problem("rate_limited", 429, retry_after="7"))

    assert isinstance(error, errors.RateLimitedError)
    assert (error.retry_after_s, error.code, error.status) == (7.0, "rate_limited", 429)
    assert str(error) == "said (rate_limited)"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (502, errors.UnavailableError),
        (504, errors.UnavailableError),
        (429, errors.RateLimitedError),
        (301, errors.ProblemError),
        (500, errors.ProblemError),
    ],
)
def test_what_a_proxy_answers_is_judged_by_its_status(status: int, kind: type):
    error = refusal_of(Answer(status=status, body=b"<html>"))

    assert type(error) is kind
    assert str(error) == f"the answer has HTTP status {status} ({status})"


def test_a_code_of_a_newer_system_is_judged_by_its_status():
    assert type(refusal_of(problem("brand_new", 503))) is errors.UnavailableError
    assert refusal_of(answer({}, 202)) is None


def test_errors_survive_a_process_pool():
    found = problem_error({"code": "function_failed", "status": 502, "detail": "no"}, 3.0)
    late = WaitTimeoutError("one")

    again = pickle.loads(pickle.dumps(found))

    assert (type(again), str(again), again.retry_after_s) == (FunctionFailedError, str(found), 3.0)
    assert copy.copy(late).id == pickle.loads(pickle.dumps(late)).id == "one"
    assert isinstance(late, TimeoutError)


def test_every_error_is_drawn():
    classes = {
        name
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, errors.PenstockError)
    }

    assert [name for name in classes if f" {name}" not in (errors.__doc__ or "")] == []
