"""Progress and cancelling, without waiting a second."""

from __future__ import annotations

from functions.countdown import countdown
from penstock import Context


def test_it_says_every_number_and_reports_each() -> None:
    reports: list[tuple[object, ...]] = []

    result = countdown(3, 0, ctx=Context(on_progress=lambda *reported: reports.append(reported)))

    assert result.counted == [3, 2, 1, 0]
    assert result.reached_zero
    assert [report[:2] for report in reports] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_it_ends_early_when_it_is_cancelled() -> None:
    result = countdown(3, 0, ctx=Context(is_cancelled=lambda: True))

    assert result.counted == []
    assert not result.reached_zero
