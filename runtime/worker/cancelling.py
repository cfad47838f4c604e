"""Callers' cancellations of what runs here: told by order at once, else by the heartbeat.

A token says which attempt is meant: an order for one that this worker has lost since
must not end another.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from runtime.broker.holdings import Holdings
from runtime.execution.executor import Executor

_log = structlog.get_logger(__name__)
_WORDS = 3


class Canceller:
    """Ends held attempts whose callers have cancelled them."""

    def __init__(self, holdings: Holdings, executor: Executor) -> None:
        self._holdings = holdings
        self._executor = executor

    def obey(self, order: bytes) -> None:
        """Carry out `cancel <id> <token>`, as the worker's control list has it."""
        words = order.decode("utf-8", "replace").split()
        if len(words) != _WORDS or words[0] != "cancel" or not words[2].isdecimal():
            _log.warning("order_unknown", order=words[:1])
            return
        self._cancel(words[1], int(words[2]))

    def look_after(self, cancelling: Iterable[tuple[str, int]]) -> None:
        """Carry out what an order that was lost has left undone."""
        for invocation_id, token in cancelling:
            self._cancel(invocation_id, token)

    def _cancel(self, invocation_id: str, token: int) -> None:
        for attempt in self._holdings.held():
            claimed = attempt.claimed
            if (claimed.id, claimed.token) == (invocation_id, token):
                attempt.is_cancelled = True  # for the executor, if it has not begun
                self._executor.cancel(invocation_id, by_caller=True)
