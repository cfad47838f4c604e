"""A flood of failures is a few lines."""

from __future__ import annotations

import structlog

from gateway.asgi import error_handlers
from gateway.asgi.error_handlers import FailureLog


def test_failures_of_one_code_are_told_once_and_counted(monkeypatch):
    now = [0.0]
    failures = FailureLog(every_s=60, clock=lambda: now[0])
    monkeypatch.setattr(error_handlers, "_log", structlog.get_logger())

    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            failures.log("store_unavailable", "/x", "away")
        failures.log("store_refused", "/x", "full")
        now[0] = 60.0
        failures.log("store_unavailable", "/x", "away")

    assert [(line["code"], line["more_before"]) for line in lines] == [
        ("store_unavailable", 0),
        ("store_refused", 0),
        ("store_unavailable", 2),
    ]
