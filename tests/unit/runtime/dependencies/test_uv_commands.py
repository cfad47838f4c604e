"""What uv and pip have written tells which kind of failure it was, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runtime.dependencies.release_age import parse_age
from runtime.dependencies.uv_commands import explain, fault_in, index_arguments, kind_of_failure


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("error: No solution found\n  cause: you require a<1 and a>2", "DependencyConflict"),
        ("Because x was not found in the package registry", "DependencyUnavailable"),
        ("cause: Failed to fetch: `http://…`", "DependencyUnavailable"),
        (
            "hint: unavailable because the network was disabled",
            "DependencyUnavailable",
        ),
        ("Hash mismatch for `demo==1.0`", "DependencyUnavailable"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "DependencyUnavailable"),
        ("because building from source is disabled", "DependencyBuildRefused"),
        ("Failed to build `x==1`\n  No space left on device (os error 28)", "DiskFull"),
        ("Failed to build `x==1`\n  The build backend returned an error", "DependencyBuildFailed"),
        ("TOML parse error at line 3\nunknown field `indx`", "MetadataInvalid"),
    ],
)
def test_the_kind_is_read_from_the_text(text: str, kind: str):
    assert kind_of_failure(text) == kind


def test_only_the_failure_is_told_and_not_what_went_well_before():
    lines = ["Using CPython 3.11.7 at: /somewhere\n", "error: no\n", "  cause: it\n"]

    assert fault_in(lines) == "error: no\n  cause: it"
    assert fault_in(["it ended\n"]) == "it ended"


def test_a_text_is_bounded_and_the_advice_stays():
    told = explain("DependencyBuildRefused", "x" * 20_000)

    assert len(told.encode()) <= 8192
    assert told.endswith('[tool.penstock] build = ["NAME"]')


def test_the_indexes_of_a_block_are_said_to_the_installer():
    members = {
        "index": [
            {"name": "mine", "url": "https://mine.test/packages"},
            {"url": "https://all.test/packages", "default": True},
        ],
        "find-links": ["/wheels"],
    }

    assert index_arguments(members) == (
        *("--index", "mine=https://mine.test/packages"),
        *("--default-index", "https://all.test/packages"),
        *("--find-links", "/wheels"),
        *("--index-strategy", "unsafe-best-match"),
    )
    assert index_arguments({"exclude-newer": "3 days"}) == ()


@pytest.mark.parametrize(
    ("own", "is_stricter"),
    [
        (None, False),
        ("2 days", False),
        ("4 days", True),
        ("P1W", True),
        ("1 hour", False),
        ("2020-01-01", True),
        (datetime.now(UTC) - timedelta(days=10), True),
        (datetime.now(UTC) + timedelta(days=10), False),
        ("nonsense", False),
    ],
)
def test_the_stricter_age_counts(own: object, is_stricter: bool):
    assert parse_age("3d").is_younger_than(own) == is_stricter


@pytest.mark.parametrize("text", ["", "3", "3 months", "-1d"])
def test_an_age_that_is_none_is_refused(text: str):
    with pytest.raises(ValueError, match="an age such as"):
        parse_age(text)
