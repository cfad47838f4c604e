"""How a worker stops: claim nothing more → let what runs end → give the rest back → end."""

from __future__ import annotations

from collections.abc import Callable

from runtime.broker.claimer import Claimer
from runtime.broker.in_flight import InFlight
from runtime.loop import Loop
from runtime.worker.attempts import Attempts

_MARGIN_S = 2.0  # for what is given back to be written


class Draining:
    """The stopping of one worker process, on its loop.

    Args:
        loop: The worker's.
        claimer: Claims nothing more.
        attempts: Ends what runs, when its time is up.
        in_flight: What the worker has in hand.
        drain_s: How long what runs may go on.
    """

    def __init__(
        self,
        loop: Loop,
        *,
        claimer: Claimer,
        attempts: Attempts,
        in_flight: InFlight,
        drain_s: float,
    ) -> None:
        self.has_begun = False
        self._loop = loop
        self._claimer = claimer
        self._attempts = attempts
        self._in_flight = in_flight
        self._drain_s = drain_s
        self._is_over = False

    def begin(self, then: Callable[[], object]) -> None:
        """Begin to stop; `then` is called once nothing is in hand, or nothing more can be done."""
        self.has_begun = True

        def end() -> None:
            if not self._is_over:
                self._is_over = True
                then()

        def requeue() -> None:
            if not self._is_over:
                self._attempts.give_back_all()
                self._loop.call_later(_MARGIN_S, end)

        self._attempts.begin_stopping()
        self._loop.call_later(self._drain_s, requeue)
        self._claimer.stop(lambda: self._in_flight.when_empty(end))
