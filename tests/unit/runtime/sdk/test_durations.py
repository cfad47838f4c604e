"""Durations: what people write, and what is no duration."""

from __future__ import annotations

import math

import pytest

from runtime.sdk.durations import parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("150ms", 0.15),
        ("30s", 30),
        ("30", 30),
        ("5m", 300),
        ("2h", 7200),
        ("7d", 604_800),
        ("1.5s", 1.5),
        (" 5m ", 300),
        (0, 0),
        (2.5, 2.5),
    ],
)
def test_seconds_and_units_are_read(written, seconds):
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    [
        "",
        "s",
        "-1",
        "-1s",
        "1 s",
        "1w",
        "1e3",
        "٣s",
        "1s2",
        math.nan,
        math.inf,
        -1,
        True,
        None,
        [1],
        10**400,
    ],
)
def test_what_is_no_duration_is_refused_with_examples(written):
    with pytest.raises(ValueError, match="150ms, 30s, 5m, 2h, 7d"):
        parse_duration(written)
