"""The options of an invocation in its query: read exactly, or refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.parsing.call_options import parse_call_options
from gateway.problems import ProblemError
from gateway.routing.parameters import LONGEST_KEY, LONGEST_TAG, MOST_TAGS
from runtime.invocations.submission import CallOptions


def read_options(**given: object) -> CallOptions:
    return CallOptions(**parse_call_options(urlencode(given, doseq=True)))


def refused_options(query: str) -> list[tuple[str, str]]:
    with pytest.raises(ProblemError) as caught:
        parse_call_options(query)
    assert (caught.value.status, caught.value.code) == (422, "parameter_invalid")
    return [(fault.pointer, fault.detail) for fault in caught.value.errors]


def test_only_what_is_asked_for_is_there():
    assert parse_call_options("") == {}
    assert parse_call_options("delay=0&key=a") == {"delay_ms": 0, "key": "a"}


def test_what_is_remembered_of_a_query_cannot_be_changed():
    with pytest.raises(TypeError):
        parse_call_options("key=a")["key"] = "b"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("0", 0),
        ("90", 90_000),
        ("1.5", 1_500),
        ("150ms", 150),
        ("1.1ms", 2),
        ("1.1", 1_100),
        ("30s", 30_000),
        ("5m", 300_000),
        ("2h", 7_200_000),
        ("7d", 604_800_000),
        ("36500d", 36_500 * 86_400_000),
    ],
)
def test_a_delay_is_a_length_of_time(text, expected_ms):
    assert read_options(delay=text).delay_ms == expected_ms


@pytest.mark.parametrize(
    "text", ["", "-1", "-5m", "soon", "5 minutes", "1e3", "inf", "nan", "٣", "36501d", "1w", "+5"]
)
@pytest.mark.parametrize("name", ["delay", "max_age"])
def test_what_is_no_length_of_time_is_told_what_is(name, text):
    [(pointer, detail)] = refused_options(urlencode({name: text}))

    assert pointer == f"?{name}"
    assert "30s, 5m, 2h, 7d" in detail


def test_a_max_age_of_nothing_is_refused():
    assert read_options(max_age="1ms").max_age_ms == 1
    assert refused_options("max_age=0")[0][0] == "?max_age"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2126-11-22T09:30:00Z", "2126-11-22T09:30:00+00:00"),
        ("2126-11-22t09:30:00z", "2126-11-22T09:30:00+00:00"),
        ("2126-11-22 09:30:00.25Z", "2126-11-22T09:30:00.250+00:00"),
        ("2126-11-22T09:30:00+05:30", "2126-11-22T04:00:00+00:00"),
        ("2126-11-22T09:30:00-08:00", "2126-11-22T17:30:00+00:00"),
        ("2126-12-31T23:59:60Z", "2127-01-01T00:00:00+00:00"),
        ("2126-11-22T09:30:00.0001Z", "2126-11-22T09:30:00.001+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"),
    ],
)
def test_run_at_is_a_moment_with_its_offset(text, expected):
    moment = datetime.fromisoformat(expected)

    assert read_options(run_at=text).run_at_ms == round(moment.timestamp() * 1000)


def test_a_plus_sign_that_was_not_escaped_is_meant():
    expected = read_options(run_at="2126-11-22T09:30:00+01:00")

    assert CallOptions(**parse_call_options("run_at=2126-11-22T09:30:00+01:00")) == expected


def test_a_moment_that_is_past_is_now():
    assert read_options(run_at="1815-12-10T00:00:00Z").run_at_ms == 1


@pytest.mark.parametrize(
    "text",
    [
        *("", "tomorrow", "2126-11-22", "2126-11-22T09:30:00", "2126-11-22T09:30Z", "1764000000"),
        *("2126-13-22T09:30:00Z", "2126-02-30T09:30:00Z", "2126-11-22T25:00:00Z"),
        *("2126-11-22T09:30:00+24:00", "2126-11-22T09:30:00+01:60", "2126-11-22T09:30:00+0100"),
        *("0000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "٢126-11-22T09:30:00Z"),
    ],
)
def test_what_is_no_such_moment_is_told_what_is(text):
    [(pointer, detail)] = refused_options(urlencode({"run_at": text}))

    assert pointer == "?run_at"
    assert "offset" in detail


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-1439, 1439))
def test_every_moment_is_read_whatever_its_offset(moment, offset_minutes):
    zone = timezone(timedelta(minutes=offset_minutes))
    try:
        text = moment.replace(microsecond=0).astimezone(zone).isoformat()
    except OverflowError:
        return
    if text.startswith("0000"):
        return

    call_options = CallOptions(**parse_call_options(f"run_at={quote(text)}"))

    whole = moment.replace(microsecond=0)
    assert call_options.run_at_ms == max(
        1, (whole - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    )


def test_delay_and_run_at_contradict_each_other():
    faults = refused_options("delay=5&run_at=2126-11-22T09:30:00Z")

    assert [pointer for pointer, _ in faults] == ["?delay", "?run_at"]
    assert all("contradicts" in detail for _, detail in faults)


@pytest.mark.parametrize("text", ["", "10", "-1", "x", "٣", " 1", "high"])
def test_priority_is_one_digit(text):
    [(pointer, detail)] = refused_options(urlencode({"priority": text}))

    assert read_options(priority=9).priority == 9
    assert pointer == "?priority"
    assert "0 to 9" in detail


@pytest.mark.parametrize(("name", "longest"), [("key", LONGEST_KEY), ("tag", LONGEST_TAG)])
def test_keys_and_tags_are_short_lines(name, longest):
    for fits in ("a", "é:/\"'", "x" * longest):
        assert fits in (read_options(**{name: fits}).key, *read_options(**{name: fits}).tags)
    for bad in ("", "x" * (longest + 1), "a\nb", "\x00", "\x7f"):
        [(pointer, detail)] = refused_options(urlencode({name: bad}))
        assert pointer == f"?{name}"
        assert str(longest) in detail
    assert refused_options(f"{name}=%ff")[0][0] == f"?{name}"


def test_tags_are_several_each_once():
    assert read_options(tag=["b", "a", "b"]).tags == ("b", "a")
    assert refused_options("&".join(f"tag={n}" for n in range(MOST_TAGS + 1)))[0][0] == "?tag"


def test_all_that_is_wrong_is_said_at_once():
    faults = refused_options("delay=x&priority=y&key=")

    assert [pointer for pointer, _ in faults] == ["?delay", "?priority", "?key"]


def test_an_unknown_parameter_names_those_there_are():
    [(pointer, detail)] = refused_options("dealy=5")

    assert pointer == "?dealy"
    assert "delay, run_at, priority, key, max_age, tag" in detail


@given(st.text())
def test_no_query_is_bad_enough_to_crash(text):
    for name in ("delay", "run_at", "priority", "key", "max_age", "tag"):
        try:
            parse_call_options(urlencode({name: text}))
        except ProblemError as problem:
            assert problem.status == 422  # noqa: PT017 - either is right
