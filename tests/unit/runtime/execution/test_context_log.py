"""FunctionLog: an Interruption between any two lines leaves no lock held by which others wait."""

from __future__ import annotations

import logging

from runtime.execution.context_log import FunctionLog, OwnHandler


def test_handlers_of_ours_have_no_lock_and_respect_filters():
    lines: list[str] = []
    log = FunctionLog(lines.append)
    log.handlers[0].addFilter(lambda record: "secret" not in record.getMessage())

    log.info("seen")
    log.info("secret")

    assert lines == ["INFO penstock.function: seen"]
    assert [handler.lock for handler in (log.handlers[0], OwnHandler())] == [None, None]
    assert logging.Handler().lock is not None
