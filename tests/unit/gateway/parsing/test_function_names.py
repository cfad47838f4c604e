"""Which published function an OpenFaaS client means by a name."""

from __future__ import annotations

import pytest

from gateway.parsing.function_names import find_name

PUBLISHED = {"hello", "csv_report", "reports.daily_sum", "a.b"}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("hello", "hello"),
        ("hello.openfaas-fn", "hello"),
        ("csv_report", "csv_report"),
        ("csv-report", "csv_report"),
        ("csv-report.openfaas-fn", "csv_report"),
        ("csv_report.openfaas-fn", "csv_report"),
        ("reports.daily-sum", "reports.daily_sum"),
        ("reports.daily-sum.openfaas-fn", "reports.daily_sum"),
        ("b.a", None),
        ("hello.other", None),
        ("hello.openfaas_fn", None),
        ("hello.openfaas-fn.openfaas-fn", None),
        ("openfaas-fn", None),
        (".openfaas-fn", None),
        ("Hello", None),
        ("", None),
    ],
)
def test_a_name_means_one_published_function_or_none(name: str, meant: str | None):
    assert find_name(PUBLISHED, name) == meant


def test_a_name_as_given_comes_first():
    assert find_name({"x", "x.openfaas-fn"}, "x.openfaas-fn") == "x.openfaas-fn"
