"""Figures are compared with the statistics module, which the function does not use."""

from __future__ import annotations

import csv
import io
import json
import random
import statistics
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter

from functions.csv_report import Column, Report, csv_report
from penstock import Reject


def table(*rows: tuple[object, ...], delimiter: str = ",") -> bytes:
    target = io.StringIO()
    csv.writer(target, delimiter=delimiter).writerows(rows)
    return target.getvalue().encode()


def only_column(*cells: object) -> Column:
    return csv_report(table(("x",), *((cell,) for cell in cells))).columns[0]


@pytest.mark.parametrize("seed", range(5))
def test_number_statistics_agree_with_the_statistics_module(seed: int) -> None:
    rng = random.Random(seed)
    numbers = [round(rng.gauss(100, 30), 2) for _ in range(rng.choice((9, 40)))]

    column = only_column(*numbers)

    assert column.type == "number"
    assert column.numbers is not None
    assert (column.numbers.min, column.numbers.max) == (min(numbers), max(numbers))
    assert column.numbers.mean == pytest.approx(statistics.mean(numbers))
    assert column.numbers.median == pytest.approx(statistics.median(numbers))
    assert column.numbers.stdev == pytest.approx(statistics.stdev(numbers))


@pytest.mark.parametrize("seed", range(5))
def test_repeated_integers_weigh_as_often_as_they_occur(seed: int) -> None:
    rng = random.Random(seed)
    numbers = [rng.randint(-5, 5) for _ in range(200)]

    column = only_column(*numbers)

    assert column.type == "integer"
    assert column.numbers is not None
    assert column.numbers.mean == pytest.approx(statistics.mean(numbers))
    assert column.numbers.median == statistics.median(numbers)
    assert column.numbers.stdev == pytest.approx(statistics.stdev(numbers))
    assert column.distinct == len(set(numbers))
    assert {(m.value, m.count) for m in column.most_common} <= {
        (str(value), count) for value, count in Counter(numbers).items()
    }
    assert [m.count for m in column.most_common] == sorted(Counter(numbers).values())[:-6:-1]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("1", "-2", "+3", "0"), "integer"),
        (("1", "2.5", ".5", "1e-3", "7."), "number"),
        (("true", "False", "YES", "no"), "boolean"),
        (("2024-02-29", "2024/03/01", "2024-03-01T10:00:00Z", "2024-03-01 10:00"), "date"),
        (("00123", "00456"), "text"),
        (("1", "two"), "text"),
        (("2024-02-30",), "text"),
        (("12345678901234567890",), "text"),
        (("1e999",), "text"),
        (("inf", "-inf"), "text"),
        (("", "NA", "n/a", "NaN", "null", "None"), "empty"),
        (("1_000",), "text"),
        (("\u0661\u0662",), "text"),
    ],
)
def test_the_narrowest_type_that_all_values_have_is_named(
    cells: tuple[str, ...], expected: str
) -> None:
    assert only_column("", *cells).type == expected


def test_missing_values_are_counted_and_left_out_of_the_figures() -> None:
    column = only_column("1", "", "NA", "3", " ")

    assert (column.type, column.values, column.missing, column.distinct) == ("integer", 2, 3, 2)
    assert column.numbers is not None
    assert column.numbers.mean == 2


def test_one_number_has_no_standard_deviation() -> None:
    numbers = only_column("4").numbers

    assert numbers is not None
    assert numbers.stdev is None


def test_dates_are_ordered_as_moments_and_shown_as_written() -> None:
    dates = only_column(
        "2024-03-01T12:00:00+05:00", "2024-03-01T08:00:00Z", "2024-03-01 07:30"
    ).dates

    assert dates is not None
    assert (dates.earliest, dates.latest) == ("2024-03-01T12:00:00+05:00", "2024-03-01T08:00:00Z")


def test_text_columns_tell_their_lengths_and_long_values_are_cut() -> None:
    column = only_column("x" * 500, "ab")

    assert column.text is not None
    assert (column.text.shortest, column.text.longest) == (2, 500)
    assert max(len(common.value) for common in column.most_common) == 100


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str) -> None:
    rows = [("id", "name, first; last"), (1, "Ada | Lovelace"), (2, "Grace"), (3, "a\tb")]

    report = csv_report(table(*rows, delimiter=delimiter))

    assert report.delimiter == delimiter
    assert [column.name for column in report.columns] == ["id", "name, first; last"]


def test_a_given_delimiter_is_used() -> None:
    report = csv_report(b"a:b,c\n1:2,3\n", delimiter=":")

    assert [column.name for column in report.columns] == ["a", "b,c"]


@pytest.mark.parametrize(
    ("encoding", "reported"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("latin-1", "latin-1")],
)
def test_the_encoding_is_told(encoding: str, reported: str) -> None:
    report = csv_report("größe,ort\n1,Köln\n".encode(encoding))

    assert report.encoding == reported
    assert [column.name for column in report.columns] == ["größe", "ort"]
    assert bool(report.notes) == (reported == "latin-1")


def test_ragged_rows_are_counted_and_their_gaps_are_missing_values() -> None:
    report = csv_report(b"a,b\n1,2\n3\n4,5,6\n\n")

    assert (report.rows, report.ragged_rows) == (3, 2)
    assert [column.missing for column in report.columns] == [0, 1]
    assert report.notes == ["2 rows do not have 2 cells; surplus cells were left out"]


@pytest.mark.parametrize(
    ("text", "has_header", "names"),
    [
        (b"a,b\n1,x\n", True, ["a", "b"]),
        (b"1,x\n2,y\n", False, ["column_1", "column_2"]),
        (b"name,2019\nAda,yes\n", False, ["column_1", "column_2"]),
        (b"a,\n1,2\n", True, ["a", "column_2"]),
        (b"1,2\n", False, ["column_1", "column_2"]),
        (b"a,b\n", True, ["a", "b"]),
    ],
)
def test_the_first_row_names_the_columns_unless_it_looks_like_data(
    text: bytes, has_header: bool, names: list[str]
) -> None:
    report = csv_report(text)

    assert report.has_header is has_header
    assert [column.name for column in report.columns] == names


def test_columns_of_the_same_name_are_told() -> None:
    assert csv_report(b"a,a\n1,2\n").notes == ["2 columns are named 'a'"]


def test_quoted_cells_may_hold_delimiters_and_line_breaks() -> None:
    report = csv_report(b'a,b\r\n"1,5","x\r\ny"\r\n')

    assert (report.rows, report.ragged_rows) == (1, 0)
    assert report.columns[1].most_common[0].value == "x\r\ny"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"\x89PNG\r\n\x00\x1a", "not text"),
        (b"," * 500, "501 columns"),
        (b'a\n"' + b"x" * 200_000, "line 2"),
    ],
)
def test_what_is_no_table_is_rejected_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Reject, match=reason):
        csv_report(content)


def test_the_report_is_strict_json() -> None:
    report = csv_report(b"a,b,c\n1,NaN,1e308\n2,inf,-1e308\n")

    text = TypeAdapter(Report).dump_json(report)

    assert json.loads(text, parse_constant=pytest.fail)["rows"] == 2


def test_a_table_of_900_kilobytes_takes_less_than_two_seconds() -> None:
    rng = random.Random(1)
    began = datetime(2024, 1, 1, tzinfo=UTC)
    rows = [
        (began + timedelta(minutes=n), rng.randint(1, 6), round(rng.random() * 40, 2), "Manhattan")
        for n in range(18_000)
    ]
    content = table(("at", "people", "fare", "place"), *rows)
    assert len(content) > 800_000

    started_at = time.perf_counter()
    report = csv_report(content)

    assert time.perf_counter() - started_at < 2
    assert [column.type for column in report.columns] == ["date", "integer", "number", "text"]
