"""Cron schedules: a schedule invokes a function at every moment that its cron line names."""

from __future__ import annotations
