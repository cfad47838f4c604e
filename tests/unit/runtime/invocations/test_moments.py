"""Moments as callers see them: RFC 3339 in UTC, with ms, and years of four digits."""

from __future__ import annotations

import pytest

from runtime.invocations.view import moment


@pytest.mark.parametrize(
    ("at_ms", "reported"),
    [
        (1_795_339_800_123, "2026-11-22T09:30:00.123Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (None, None),
    ],
)
def test_a_moment_is_written_with_ms_and_four_digits_of_year(
    at_ms: int | None, reported: str | None
):
    assert moment(at_ms) == reported
