"""The moments of a cron line: every kind of day, and every way a clock can change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.schedules.cron import Cron

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca")
# Days on which some of these clocks change, and one on which none does.
DAYS = (
    *("2026-03-08", "2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25", "2026-11-01"),
    *("2026-04-04", "2026-04-05", "2026-10-03", "2026-10-04", "2026-02-15", "2026-03-22"),
    "2026-07-01",
)
STEP_MS = 300_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def moments(line: str, zone: str, after: str, count: int) -> list[str]:
    """The next moments in UTC, as `03-29T01:00`."""
    found = Cron(line, zone).next_few(ms(after), count)
    return [f"{datetime.fromtimestamp(at / 1000, UTC):%m-%dT%H:%M}" for at in found]


@pytest.mark.parametrize(
    ("line", "after", "expected"),
    [
        ("0 0 29 2 *", "2026-01-01", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("0 0 L * *", "2028-01-31T01:00", ["2028-02-29T00:00", "2028-03-31T00:00"]),
        ("0 0 31 * *", "2026-01-31", ["2026-03-31T00:00", "2026-05-31T00:00"]),
        ("0 0 LW * *", "2026-01-01", ["2026-01-30T00:00", "2026-02-27T00:00"]),
        ("0 9 * * mon-fri", "2026-01-02T09:00", ["2026-01-05T09:00", "2026-01-06T09:00"]),
        ("0 0 * * mon#2", "2026-01-01", ["2026-01-12T00:00", "2026-02-09T00:00"]),
        ("0 0 * * 5L", "2026-01-01", ["2026-01-30T00:00", "2026-02-27T00:00"]),
        ("0 0 13 * fri", "2026-01-01", ["2026-01-02T00:00", "2026-01-09T00:00"]),
        ("0 0 1 jan *", "2026-01-01", ["2027-01-01T00:00", "2028-01-01T00:00"]),
    ],
)
def test_the_calendar_is_followed(line, after, expected):
    found = Cron(line, "UTC").next_few(ms(after), 2)

    assert [f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%dT%H:%M}" for at in found] == expected


def test_six_fields_begin_with_the_seconds():
    found = Cron("*/20 0 9 * * *", "UTC").next_few(ms("2026-01-01"), 4)

    assert [at - found[0] for at in found] == [0, 20_000, 40_000, 86_400_000]
    assert found[0] == ms("2026-01-01T09:00:00")


def test_a_moment_is_after_the_one_given_even_by_a_millisecond():
    every_second = Cron("* * * * * *", "UTC")

    assert every_second.next_after(1_000) == 2_000
    assert every_second.next_after(999) == 1_000
    assert every_second.next_after(1_001) == 2_000


@pytest.mark.parametrize("line", ["30 2 * * *", "0 30 2 * * *"])
def test_a_fixed_time_in_a_gap_comes_when_the_gap_ends(line):
    assert moments(line, "Europe/Berlin", "2026-03-28T12:00", 2) == ["03-29T01:00", "03-30T00:30"]
    assert moments(line, "America/New_York", "2026-03-07T12:00", 2) == [
        "03-08T07:00",
        "03-09T06:30",
    ]


def test_several_fixed_times_in_a_gap_come_once():
    found = moments("0,15,59 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 2)

    assert found == ["03-29T01:00", "03-30T00:00"]


@pytest.mark.parametrize("line", ["30 2 * * *", "0 30 2 * * *"])
def test_a_fixed_time_that_is_shown_twice_comes_the_first_time(line):
    assert moments(line, "Europe/Berlin", "2026-10-24T12:00", 2) == ["10-25T00:30", "10-26T01:30"]


def test_a_fixed_time_does_not_come_again_in_the_second_pass():
    # 02:10 the second time; 02:45 was an hour and a bit ago.
    assert moments("45 2 * * *", "Europe/Berlin", "2026-10-25T01:10", 1) == ["10-26T01:45"]


def test_intervals_follow_elapsed_time_across_a_gap_and_an_overlap():
    assert moments("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15", 3) == [
        "03-29T00:30",
        "03-29T01:00",
        "03-29T01:30",
    ]
    assert moments("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15", 4) == [
        "10-25T00:30",
        "10-25T01:00",
        "10-25T01:30",
        "10-25T02:00",
    ]


def test_an_interval_within_an_hour_comes_as_often_as_that_hour_does():
    assert moments("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 1) == ["03-30T00:00"]
    assert moments("*/30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 5) == [
        "10-25T00:00",
        "10-25T00:30",
        "10-25T01:00",
        "10-25T01:30",
        "10-26T01:00",
    ]


def test_all_hours_written_out_are_an_interval_too():
    written_out = "0 0-23 * * *"

    assert moments(written_out, "Europe/Berlin", "2026-10-24T23:30", 4) == moments(
        "0 * * * *", "Europe/Berlin", "2026-10-24T23:30", 4
    )


def test_a_change_of_half_an_hour_is_a_change():
    assert moments("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", 2) == [
        "10-03T15:30",
        "10-04T15:15",
    ]
    assert moments("*/20 3 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", 3) == [
        "10-03T16:00",
        "10-03T16:20",
        "10-03T16:40",
    ]
    assert moments("*/20 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00", 5) == [
        "04-04T14:00",
        "04-04T14:20",
        "04-04T14:40",
        "04-04T15:10",
        "04-05T14:30",
    ]


def test_a_day_that_a_place_skipped_is_a_gap():
    assert moments("0 12 30 12 *", "Pacific/Apia", "2011-12-29T00:00", 2) == [
        "12-30T10:00",
        "12-29T22:00",
    ]


@pytest.mark.parametrize("line", ["0 0 30 2 *", "0 0 31 4,6 *", "0 0 */30 2 mon#2"])
def test_a_line_without_any_moment_is_refused_or_has_none(line):
    try:
        found = Cron(line, "UTC").next_after(0)
    except ValueError:
        found = None

    assert found is None


@pytest.mark.parametrize(
    ("line", "zone"), [("x", "UTC"), ("* * * * *", "Mars/Olympus"), ("* * * * *", "")]
)
def test_what_is_no_line_or_zone_is_refused(line, zone):
    with pytest.raises(ValueError, match=r"cron line|time zone"):
        Cron(line, zone)


steps = st.sampled_from(["*/5", "*/15", "*/20", "0", "5,35", "10-50/20", "55"])
hours = st.sampled_from(["*", "*/2", "*/5", "0", "1", "2", "3", "1-3", "0,2,4", "23"])
starts = st.builds(
    lambda day, minutes: ms(day) + minutes * 60_000,
    st.sampled_from(DAYS),
    st.integers(-1000, 1440),
)


@given(minute=steps, hour=hours, zone=st.sampled_from(ZONES), start=starts)
def test_moments_are_those_that_a_look_at_the_clock_every_five_minutes_finds(
    minute, hour, zone, start
):
    cron = Cron(f"{minute} {hour} * * *", zone)
    end = start + 86_400_000

    found = list(takewhile(lambda at: at <= end, cron.moments_after(start)))

    assert found == watched(minute, hour, zone, start, end)


@given(minute=steps, hour=hours, zone=st.sampled_from(ZONES), start=starts)
def test_from_any_moment_on_the_same_ones_follow(minute, hour, zone, start):
    cron = Cron(f"{minute} {hour} * * *", zone)

    together = cron.next_few(start, 40)

    assert all(earlier < later for earlier, later in pairwise(together))
    assert [cron.next_after(at) for at in [start, *together[:-1]]] == together


def watched(minute: str, hour: str, zone: str, start_ms: int, end_ms: int) -> list[int]:
    """What the rule says, found by looking at the clock every five minutes."""
    minutes, named_hours = spread(minute, 60), spread(hour, 24)
    is_interval = "*" in (minute[0], hour[0])
    clock = ZoneInfo(zone)
    found = []
    seen: set[datetime] = set()
    first = start_ms // STEP_MS * STEP_MS - 86_400_000  # what it showed before counts as seen
    before = datetime.fromtimestamp(first / 1000, clock).replace(tzinfo=None)
    for at in range(first + STEP_MS, end_ms + 1, STEP_MS):
        shown = datetime.fromtimestamp(at / 1000, clock).replace(tzinfo=None)
        jumped = []
        if not is_interval:
            wall = before + timedelta(minutes=5)
            while wall < shown:
                jumped.append(wall)
                wall += timedelta(minutes=5)
        for wall in (*jumped, shown):
            is_named = wall.minute in minutes and wall.hour in named_hours
            is_new = is_interval or wall not in seen
            if is_named and is_new and at > start_ms and at not in found[-1:]:
                found.append(at)
            seen.add(wall)
        before = shown
    return found


def spread(field: str, size: int) -> set[int]:
    """The numbers of a field of a few simple shapes."""
    numbers: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        bounds = (0, size - 1) if span == "*" else (int(low), int(high or low))
        numbers.update(range(bounds[0], bounds[1] + 1, int(step or 1)))
    return numbers
