"""Run one function without a system: for tests of its author, and for `penstock run`."""

from __future__ import annotations
