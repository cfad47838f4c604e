"""The tests' Go refuses what Go refuses."""

from __future__ import annotations

import json

import pytest

from tests.support.go_decoding import STATUSES, decode

GOOD = {"name": "f", "replicas": 1, "createdAt": "2026-11-30T10:00:00.5Z", "labels": {"a": "b"}}


@pytest.mark.parametrize("status", [GOOD, {}, {"labels": None}, {"unknown": 1}])
def test_what_fits_is_taken(status: dict[str, object]):
    assert decode(json.dumps([status]), STATUSES) == [status]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 1},
        {"replicas": 1.5},
        {"replicas": -1},
        {"replicas": "1"},
        {"replicas": True},
        {"createdAt": "yesterday"},
        {"createdAt": "2026-11-30 10:00:00Z"},
        {"createdAt": 1.0},
        {"labels": {"a": 1}},
        {"labels": ["a"]},
        {"limits": {"memory": 5}},
    ],
)
def test_one_wrong_value_spoils_the_list(wrong: dict[str, object]):
    with pytest.raises(AssertionError):
        decode(json.dumps([GOOD, wrong]), STATUSES)


def test_an_object_is_no_list():
    with pytest.raises(AssertionError):
        decode("{}", STATUSES)
