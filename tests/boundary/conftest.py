"""Fixtures of the tests at the boundary."""

from __future__ import annotations

from tests.e2e.conftest import report

__all__ = ["report"]
