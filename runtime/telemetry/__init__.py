"""Telemetry of all processes: log lines, lifecycle events, traces, and crashes of loops."""

from __future__ import annotations
