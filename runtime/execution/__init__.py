"""Run one attempt: the runner pool, the runner process, the thread backend, limits, outcomes."""

from __future__ import annotations
