"""Cron lines and their ticks: a schedule invokes a function at every moment it names."""

from __future__ import annotations
