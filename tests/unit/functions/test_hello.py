"""The first function a reader meets."""

from __future__ import annotations

from functions.hello import hello
from penstock.testing import call


def test_it_greets_the_world_when_nobody_is_named() -> None:
    assert call(hello) == "Hello, world!"


def test_it_greets_by_name() -> None:
    assert call(hello, name="Ada") == "Hello, Ada!"
