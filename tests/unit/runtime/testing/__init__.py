"""Tests of what tests of functions use."""

from __future__ import annotations
