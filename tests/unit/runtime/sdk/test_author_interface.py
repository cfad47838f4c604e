"""What an author imports: the decorator, Context, Request, Retry and Reject."""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import UTC, datetime

import pytest

import penstock
import runtime
from penstock import Context, Reject, Request, Retry, function
from runtime.errors import OptionError
from runtime.sdk.decorator import declaration_of
from runtime.sdk.request import Headers, decode_request, encode_request


def test_the_public_names_are_these_six():
    names = ["Context", "Reject", "Request", "Response", "Retry", "function"]
    assert sorted(penstock.__all__) == names


def test_the_earlier_name_of_the_package_has_the_same_objects():
    assert runtime.__all__ == penstock.__all__
    for name in penstock.__all__:
        assert getattr(runtime, name) is getattr(penstock, name)


@pytest.mark.parametrize("package", ["penstock", "runtime"])
def test_importing_them_loads_nothing_heavy(package):
    code = (
        f"import {package}, sys; "
        "heavy = {'pydantic', 'msgspec', 'redis', 'dramatiq', 'falcon', 'httpx', 'asyncio'}; "
        "found = heavy & set(sys.modules); sys.exit(repr(found) if found else 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_marked_function_is_still_itself():
    def double(x):
        return 2 * x

    assert function(double) is double
    assert function()(double) is double
    assert function(timeout="3s")(double) is double
    assert double(4) == 8


def test_the_declaration_remembers_options_name_and_module():
    @function(name="twice", timeout="3s")
    def double(x):
        return 2 * x

    declaration = declaration_of(double)

    assert declaration is not None
    assert (declaration.name, declaration.options.timeout_s) == ("twice", 3)
    assert declaration.module == __name__


def test_what_is_not_marked_has_no_declaration():
    assert declaration_of(len) is None
    assert declaration_of(3) is None
    assert declaration_of(test_what_is_not_marked_has_no_declaration) is None


@pytest.mark.parametrize("wrong", ["30s", 30, {"timeout": 3}])
def test_options_are_given_by_name(wrong):
    with pytest.raises(OptionError, match="by name"):
        function(wrong)


def test_what_cannot_carry_a_mark_is_refused():
    with pytest.raises(OptionError, match="wrap it in a function"):
        function(timeout=3)(len)


def test_a_context_of_ones_own_does_nothing():
    context = Context()

    context.progress(1, 2, "half")
    context.emit({"any": "thing"})

    assert context.cancelled is False
    assert 0 < context.remaining_s <= 60
    assert (context.deadline - datetime.now(UTC)).total_seconds() == pytest.approx(60, abs=5)
    assert isinstance(context.log, logging.Logger)


def test_a_wired_context_tells_its_runner():
    reported = []
    context = Context(
        id="i",
        attempt=2,
        traceparent="00-…",
        on_progress=lambda *parts: reported.append(parts),
        on_event=reported.append,
        is_cancelled=lambda: True,
    )

    context.progress(3)
    context.emit([1])

    assert reported == [(3, None, ""), [1]]
    assert (context.id, context.attempt, context.traceparent) == ("i", 2, "00-…")
    assert context.cancelled is True


def test_time_left_never_goes_below_zero():
    assert Context(timeout_s=-5).remaining_s == 0


@pytest.mark.parametrize("wrong", ["1", None, True, float("nan"), float("inf")])
def test_progress_takes_numbers(wrong):
    with pytest.raises(TypeError, match="done must be a number"):
        Context().progress(wrong if wrong is not None else "None")


def test_headers_match_in_any_case_and_keep_their_own():
    headers = Headers({"X-Hub-Signature-256": "sha"})

    assert headers["x-hub-signature-256"] == headers["X-HUB-SIGNATURE-256"] == "sha"
    assert "x-Hub-signature-256" in headers
    assert headers.get("absent") is None
    assert list(headers) == ["X-Hub-Signature-256"]


def test_a_request_reads_its_body():
    request = Request(headers={"Content-Type": "application/json"}, body=b'{"a": 1}')

    assert request.json() == {"a": 1}
    assert request.text == '{"a": 1}'
    assert request.headers["content-type"] == "application/json"


def test_a_body_that_is_not_text_is_still_readable():
    request = Request(body=b"\xff\x00")

    assert request.text == "\ufffd\x00"
    with pytest.raises(ValueError, match="utf-8"):
        request.json()


def test_a_request_survives_the_way_through_the_store():
    request = Request(
        method="PUT",
        path="/functions/x",
        headers={"X-A": "1"},
        query={"tag": ["a", "b"]},
        body=bytes(range(256)),
    )

    assert decode_request(encode_request(request)) == request


def test_retry_says_when():
    assert Retry(after="5m").after_s == 300
    assert Retry(after=2).after_s == 2
    assert Retry().after_s is None
    assert str(Retry("busy", after=1)) == "busy"
    with pytest.raises(ValueError, match="not a duration"):
        Retry(after="soon")


def test_reject_says_why():
    assert str(Reject("no such customer")) == "no such customer"
