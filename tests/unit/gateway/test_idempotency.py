"""Idempotency-Key: as the draft writes it, and as clients do."""

from __future__ import annotations

import pytest

from gateway.idempotency import identify, options_content, read_idempotency_key
from gateway.problems import ProblemError
from runtime.invocations.submission import NO_WISHES, Wishes
from runtime.store.submission_calls import Idempotency


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


def test_a_key_is_unique_within_its_scope_and_tells_contents_apart():
    first = identify("k", scope=("f", ""), content=(b"a", b"b"))

    assert identify("k", scope=("f", ""), content=(b"a", b"b")) == first
    assert identify("k", scope=("f", ""), content=(b"ab", b"")).body_digest != first.body_digest
    assert identify("k", scope=("f", ""), content=(b"ab", b"")).digest == first.digest
    for key, scope in (("k", ("g", "")), ("l", ("f", "")), ("k", ("f", "me")), ("", ("f", "k"))):
        assert identify(key, scope=scope, content=()).digest != first.digest


@pytest.mark.parametrize(
    "other",
    [
        Wishes(priority=1),
        Wishes(delay_ms=1),
        Wishes(run_at_ms=1),
        Wishes(max_age_ms=1),
        Wishes(key="k"),
        Wishes(tags=("t",)),
        Wishes(callback="http://x/"),
    ],
)
def test_another_option_is_another_request(other):
    assert options_content(other) != options_content(NO_WISHES)


def test_a_repetition_after_an_upgrade_is_still_one():
    """Redis keeps digests for a day, so these are what every version before has kept."""
    content = (b"application/json", b"{}", b"", b"[null]")

    assert identify("order-1", scope=("f", "ada"), content=content) == Idempotency(
        digest="e4fc2d50ba500a96ff384f50de0f4fb6899a",
        body_digest="e3e362c5ed7f4752b620bbc5d6b3c13b36a0",
    )
