"""Idempotency-Key: as the draft writes it, and as clients do."""

from __future__ import annotations

import pytest

from gateway.parsing.idempotency import identify, options_content, read_idempotency_key
from gateway.problems import ProblemError
from runtime.invocations.submission import DEFAULT_OPTIONS, CallOptions
from runtime.store.submission_commands import Idempotency


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (None, None),
        ("abc", "abc"),
        (" 8e03978e-40d5 ", "8e03978e-40d5"),
        ('"8e03978e-40d5"', "8e03978e-40d5"),
        (r'"a\"b\\c"', 'a"b\\c'),
        ('"abc";v=1', "abc"),
        ("two words", "two words"),
        ('a"b', 'a"b'),
        ("x" * 255, "x" * 255),
        ('"' + "x" * 255 + '"', "x" * 255),
    ],
)
def test_a_key_is_taken_quoted_or_bare(header, key):
    assert read_idempotency_key(header) == key


@pytest.mark.parametrize(
    "header", ["", " ", '""', '"open', "é", "a\tb", "x" * 256, '"a", "b"', r'"\n"', '"x"y']
)
def test_what_is_no_key_is_told_what_is(header):
    with pytest.raises(ProblemError, match="255") as caught:
        read_idempotency_key(header)

    assert (caught.value.status, caught.value.errors[0].pointer) == (422, "Idempotency-Key")


def identified(
    key: str = "k", *, function: str = "f", caller: str = "", content: tuple[bytes, ...] = ()
):
    return identify(key, function=function, caller=caller, content=content)


def test_a_key_is_unique_within_its_scope_and_tells_contents_apart():
    first = identified(content=(b"a", b"b"))

    assert identified(content=(b"a", b"b")) == first
    assert identified(content=(b"ab", b"")).body_digest != first.body_digest
    assert identified(content=(b"ab", b"")).digest == first.digest
    for other in (
        identified(function="g"),
        identified("l"),
        identified(caller="me"),
        identified("", caller="k"),
    ):
        assert other.digest != first.digest


def test_a_key_that_was_used_before_an_upgrade_is_known_after_it():
    call_options = CallOptions(priority=7, tags=("t",), callback="https://example.com/hook")

    content = (b"application/json", b"{}", b"", options_content(call_options))

    assert identified(caller="me", content=content) == Idempotency(
        digest="e3daee02bf95349e5ff9d6a595b406c89f84",
        body_digest="0d194ed62e1003db06170bd553b766640f29",
    )


@pytest.mark.parametrize(
    "other",
    [
        CallOptions(priority=1),
        CallOptions(delay_ms=1),
        CallOptions(run_at_ms=1),
        CallOptions(max_age_ms=1),
        CallOptions(key="k"),
        CallOptions(tags=("t",)),
        CallOptions(callback="http://x/"),
    ],
)
def test_another_option_is_another_request(other):
    assert options_content(other) != options_content(DEFAULT_OPTIONS)
