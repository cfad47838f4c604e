"""What a worker does on the reply to a heartbeat, and on the orders of operators and callers.

Orders come on the worker's control list (`heartbeat.py`). A cancellation order may be lost with a
connection; the reply to the next heartbeat repeats it. The order itself is given by
`runtime/store/lua/cancel_invocation.lua`, and `attempts` ends the attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from runtime.broker.attempt import Attempt
from runtime.broker.claimer import Claimer
from runtime.store.invocation_commands import HeartbeatReply
from runtime.worker.attempts import Attempts
from runtime.worker.publishing import Publishing

_log = structlog.get_logger(__name__)
_WITH_ONE = 2
_CANCEL_WORDS = 3


class ControlOrders:
    """Handles the orders to one worker process, in the loop thread.

    Args:
        attempts: Stops lost and cancelled attempts.
        claimer: Claims from the queues that exist.
        publishing: Starts and stops the publisher.
        usual: Queues to serve if `own` is empty, even before Redis lists them.
        own: The only queues to serve; if empty, all that exist.
        remove_environment: Removes an unused environment of this machine, by its key.
    """

    def __init__(
        self,
        attempts: Attempts,
        claimer: Claimer,
        publishing: Publishing,
        *,
        usual: Sequence[str],
        own: Sequence[str],
        remove_environment: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._attempts = attempts
        self._claimer = claimer
        self._publishing = publishing
        self._usual = usual
        self._own = own
        self._remove_environment = remove_environment
        self._is_stopping = False

    def begin_stopping(self) -> None:
        """Change no queues and publish nothing more; attempts may still be cancelled."""
        self._is_stopping = True
        self._publishing.turn(on=False)

    def obey_pulse(self, pulse: HeartbeatReply, held: Sequence[Attempt]) -> None:
        """Handle a heartbeat's reply; `held` is what was held when it was sent."""
        lost = set(pulse.lost)
        self._attempts.lose(attempt for attempt in held if attempt.claimed.id in lost)
        for invocation_id, token in pulse.cancelling:  # their orders may have been lost
            self._attempts.cancel(invocation_id, token)
        if not self._is_stopping:
            known = [queue for queue in pulse.queues if not self._own or queue in self._own]
            self._claimer.serve(tuple(dict.fromkeys((*(self._own or self._usual), *known))))
            self._publishing.turn(on=pulse.publishes)

    def obey(self, order: bytes) -> None:
        """Handle one order.

        They are "publish", "publish withdraw_missing", "cancel <id> <token>",
        "remove_environment <key>" and "relock <file>".
        """
        words = order.decode("utf-8", "replace").split()
        if words[:1] == ["publish"]:
            self._publishing.request_publish(withdraw_missing=words[1:] == ["withdraw_missing"])
        elif len(words) == _CANCEL_WORDS and words[0] == "cancel" and words[2].isdecimal():
            self._attempts.cancel(words[1], int(words[2]))
        elif len(words) == _WITH_ONE and words[0] == "remove_environment":
            self._remove_environment(words[1])
        elif len(words) == _WITH_ONE and words[0] == "relock":
            self._publishing.relock(words[1])
        else:
            _log.warning("order_unknown", order=words[:1])
