"""Cron lines: every shape cronsim takes is taken, and what it refuses is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given
from hypothesis import strategies as st

from runtime.sdk.cron_syntax import check_cron

number = st.integers(0, 62).map(str)
name = st.sampled_from(["jan", "DEC", "mon", "sun", "sat", "foo", "L", "LW", "?", "*"])
single = st.one_of(number, name, st.builds("{}-{}".format, number, number))
part = st.one_of(
    single, st.builds("{}/{}".format, st.one_of(single, st.just("*")), st.integers(0, 9))
)
line = st.lists(st.lists(part, min_size=1, max_size=2).map(",".join), min_size=4, max_size=7).map(
    " ".join
)


@pytest.mark.parametrize(
    "cron",
    ["* * * * *", "*/5 * * * *", "30 0 9 * * mon-fri", "0 0 L * *", "0 0 * jan-mar,12 mon#2"],
)
def test_five_and_six_fields_are_taken(cron):
    assert check_cron(cron) == cron


def test_spaces_are_evened_out():
    assert check_cron("  0  9 * *\tmon ") == "0 9 * * mon"


@pytest.mark.parametrize("cron", ["", "* * * *", "* * * * * * *", 5, None])
def test_another_number_of_fields_is_refused_with_what_is_allowed(cron):
    with pytest.raises(ValueError, match=r"five fields .* or six with the seconds first"):
        check_cron(cron)


@pytest.mark.parametrize(
    ("cron", "field"),
    [
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "weekday"),
        ("60 * * * * *", "second"),
        ("5-1 * * * *", "minute"),
        ("*/0 * * * *", "minute"),
    ],
)
def test_a_wrong_field_is_named(cron, field):
    with pytest.raises(ValueError, match=f"{field} field"):
        check_cron(cron)


@given(line)
def test_shape_agrees_with_the_library_that_computes_moments(cron):
    try:
        CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
        is_taken = True
    except CronSimError:
        is_taken = False

    try:
        check_cron(cron, is_kept=True)
        is_ours = True
    except ValueError:
        is_ours = False

    # A day that no month has (31 February) is not a question of shape.
    assert is_ours or not is_taken


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("0 9 * * sat-sun", "0 9 * * 6,0"),
        ("0 9 * * mon-sun", "0 9 * * 1,2,3,4,5,6,0"),
        ("0 9 * * FRI-mon", "0 9 * * 5,6,0,1"),
        ("0 9 * * 6-1", "0 9 * * 6,0,1"),
        ("0 9 * * fri-tue/2", "0 9 * * 5,0,2"),
        ("0 9 1 nov-feb *", "0 9 1 11,12,1,2 *"),
        ("0 9 * * wed,sat-sun", "0 9 * * wed,6,0"),
        ("0 9 * * 5-7", "0 9 * * 5-7"),
        ("@daily", "0 0 * * *"),
        (" @Hourly ", "0 * * * *"),
        ("@yearly", "0 0 1 1 *"),
    ],
)
def test_ranges_over_the_end_and_shorthands_are_written_out(given, meant):
    assert check_cron(given) == meant
    assert check_cron(meant) == meant
    assert CronSim(meant, datetime(2026, 1, 1, tzinfo=UTC))


days = st.sampled_from(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])


@given(first=days, last=days)
def test_a_range_of_weekdays_names_those_from_the_first_to_the_last(first, last):
    names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    wanted, day = {first}, first
    while day != last:
        day = names[(names.index(day) + 1) % 7]
        wanted.add(day)

    line = check_cron(f"0 0 * * {first}-{last}")

    named = {names[int(moment.strftime("%w"))] for moment in _two_weeks(line)}
    assert named == wanted


def _two_weeks(line):
    moments = CronSim(line, datetime(2026, 1, 1, tzinfo=UTC))
    return [next(moments) for _ in range(14)]


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("*/90 * * * *", "to run every 90 minutes, use two lines"),
        ("*/60 * * * *", "a step of 60 goes beyond 0-59, so only 0 is left; write 0"),
        ("0 */24 * * *", "a step of 24 goes beyond 0-23"),
        ("10-20/15 * * * *", "a step of 15 goes beyond 10-20"),
        ("50/10 * * * *", "a step of 10 goes beyond 50-59"),
        ("*/90 * * * * *", "second field"),
        ("0 22-2 * * *", "for a range that wraps around write 22-23,0-2"),
        ("@reboot", "no fixed time; use one of @yearly"),
        ("@fortnightly", "is not supported; use one of @yearly"),
    ],
)
def test_what_would_not_do_what_it_says_is_refused_with_what_to_write(cron, said):
    with pytest.raises(ValueError, match=said.replace("*", r"\*")):
        check_cron(cron)


def test_a_line_that_is_kept_from_before_goes_on():
    assert check_cron("*/90 * * * *", is_kept=True) == "*/90 * * * *"
