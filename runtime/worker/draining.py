"""Stop a worker without losing attempts.

    running ──begin──► draining: claim nothing, wait ──nothing in flight─────────────► over
                         └──drain_s──► stop and requeue the rest ──empty, or 2 s──► over

What is not written after those 2 s (Redis is away) is taken over when its lease runs out.
"""

from __future__ import annotations

from collections.abc import Callable

from runtime.broker.claimer import Claimer
from runtime.broker.in_flight import InFlight
from runtime.loop import Loop
from runtime.worker.attempts import Attempts

_MARGIN_S = 2.0  # to write what was requeued


class Draining:
    """Stops one worker process, in the loop thread.

    Args:
        loop: The worker's loop.
        claimer: Stopped first.
        attempts: Stops and requeues attempts when the time is up.
        in_flight: The attempts that the worker holds.
        drain_s: How long running attempts may go on.
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
        """Begin to stop; call `then` once when nothing is in flight or the time is up."""
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
        # A claim under way may still bring attempts: only after it may "nothing in flight" count.
        self._claimer.stop(lambda: self._in_flight.when_empty(end))
