"""Cron lines: every shape cronsim takes is taken, and what it refuses is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given
from hypothesis import strategies as st

from runtime.sdk.cron_shape import check_cron

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


@pytest.mark.parametrize("cron", ["", "* * * *", "* * * * * * *", "@daily", 5, None])
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
        check_cron(cron)
        is_ours = True
    except ValueError:
        is_ours = False

    # A day that no month has (31 February) is not a question of shape.
    assert is_ours or not is_taken
