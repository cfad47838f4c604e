"""Durations as Go writes them."""

from __future__ import annotations

import pytest

from gateway.parsing.go_duration import parse_go_duration


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        *(("30s", 30_000), ("1m30s", 90_000), ("1h0m0.5s", 3_600_500), ("250ms", 250)),
        *(("1.5h", 5_400_000), (".5s", 500), ("10us", 1), ("999ns", 1)),
    ],
)
def test_durations(text: str, expected_ms: int):
    assert parse_go_duration(text) == expected_ms


@pytest.mark.parametrize(
    "text", ["", "30", "s", "-1s", "0s", "1d", "1 s", "1s2", "9" * 400 + "h", "1e9s", "٣s"]
)
def test_what_is_none(text: str):
    with pytest.raises(ValueError, match=r"duration|timeout"):
        parse_go_duration(text)
