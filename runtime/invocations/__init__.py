"""Invocations: record, statuses, submission, events, and what callers see of them."""

from __future__ import annotations
