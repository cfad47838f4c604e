"""Run one attempt: runner pool, runner child, limits; the thread lane."""

from __future__ import annotations
