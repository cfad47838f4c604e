"""The first function a reader meets."""

from __future__ import annotations

from functions.hello import hello


def test_it_greets_the_world_when_nobody_is_named() -> None:
    assert hello() == "Hello, world!"


def test_it_greets_by_name() -> None:
    assert hello("Ada") == "Hello, Ada!"
