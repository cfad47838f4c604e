"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.cli.tables import format_duration, format_relative

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (None, ""),
        (0, "0 ms"),
        (340, "340 ms"),
        (4_240, "4.2 s"),
        (59_999, "59 s"),
        (60_000, "1 m"),
        (200_000, "3 m 20 s"),
        (2 * 86_400_000 + 4 * 3_600_000, "2 d 4 h"),
    ],
)
def test_a_span_has_two_units_at_most(ms: int | None, said: str):
    assert format_duration(ms) == said


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (None, ""),
        ("2026-11-22T09:29:59.500Z", "now"),
        ("2026-11-22T09:26:40Z", "3 m 20 s ago"),
        ("2026-11-22T12:30:00+01:00", "in 2 h"),
        ("no moment", "no moment"),
    ],
)
def test_a_moment_is_told_from_now(moment: str | None, said: str):
    assert format_relative(moment, NOW) == said
