"""What a caller asks for, as query parameters and headers."""

from __future__ import annotations

import pytest

from gateway.cli.call.options import CallFlags
from gateway.cli.errors import CommandError


def test_flags_that_were_not_given_are_not_sent():
    assert CallFlags().query() == []
    assert CallFlags().headers() == {}


def test_every_flag_has_its_place():
    options = CallFlags(
        delay="5m",
        run_at="2026-11-22T09:30:00+01:00",
        priority=0,
        key="tenant 1",
        max_age="1h",
        tag=["a", "b"],
        callback="https://example.com/",
        idempotency_key="once",
    )

    assert options.query() == [
        ("delay", "5m"),
        ("run_at", "2026-11-22T09:30:00+01:00"),
        ("priority", "0"),
        ("key", "tenant 1"),
        ("max_age", "1h"),
        ("tag", "a"),
        ("tag", "b"),
    ]
    assert options.headers() == {
        "X-Callback-Url": "https://example.com/",
        "Idempotency-Key": "once",
    }


@pytest.mark.parametrize("key", ["zwölf", "a\nb"])
def test_what_cannot_stand_in_a_header_is_refused(key: str):
    with pytest.raises(CommandError, match="Idempotency-Key"):
        CallFlags(idempotency_key=key).headers()
