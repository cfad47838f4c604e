"""Fixtures of the tests at the boundary."""

from __future__ import annotations

from tests.e2e.conftest import tell

__all__ = ["tell"]
