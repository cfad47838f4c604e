"""Progress and cancelling, without waiting a second."""

from __future__ import annotations

from functions.countdown import countdown
from penstock import Context
from penstock.testing import call, record


def test_it_says_every_number_and_reports_each() -> None:
    recorded = record(countdown, start=3, pause_s=0)

    assert recorded.result["counted"] == [3, 2, 1, 0]
    assert recorded.result["reached_zero"]
    assert [report[:2] for report in recorded.progress] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_it_ends_early_when_it_is_cancelled() -> None:
    result = call(countdown, start=3, pause_s=0, ctx=Context(is_cancelled=lambda: True))

    assert result["counted"] == []
    assert not result["reached_zero"]
