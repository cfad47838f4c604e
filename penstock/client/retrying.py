"""Repeating a request that did not get through, within limits.

Every request of the client may be repeated: a submission carries an idempotency key, so that the
gateway recognises the second one; the others only read, or have the same effect twice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from penstock.client.errors import PenstockError, ProblemError, UnreachableError, problem_error
from penstock.client.steps import Answer, Flow, Lost, Pause, Request, Send

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_FIRST_REFUSAL = 300  # redirects are not followed: a call must not become a GET


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long requests are repeated, and where time and chance come from.

    Attributes:
        for_s: How long after the first failure a request is still repeated; 0: never.
        now: A clock, in seconds.
        draw: Draws a number from 0 to 1, so that clients do not all come back at once.
    """

    for_s: float
    now: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = random.random


class Patience:
    """Counts the failures in a row, and says how long to pause before the next try.

    Args:
        policy: The limits.
        deadline: When to stop in any case, in the time of the policy's clock.
    """

    def __init__(self, policy: RetryPolicy, deadline: float) -> None:
        self._policy = policy
        self._deadline = deadline
        self.reset()

    def reset(self) -> None:
        """Begin anew: something got through."""
        self._failures = 0
        self._gives_up_at = self._deadline

    def pause_after(self, error: PenstockError) -> Pause:
        """Return the pause before the request is repeated.

        Raises:
            PenstockError: The error itself, if repeating is of no use or would take too long.
        """
        now = self._policy.now()
        if not self._failures:
            self._gives_up_at = min(now + self._policy.for_s, self._deadline)
        pause_s = min(_FIRST_PAUSE_S * 2.0**self._failures, _LONGEST_PAUSE_S)
        least_s = error.retry_after_s if isinstance(error, ProblemError) else 0.0
        pause_s = least_s + pause_s * (0.5 + self._policy.draw() / 2)
        self._failures += 1
        if not error.may_pass or now + pause_s > self._gives_up_at:
            raise error
        return Pause(pause_s)


def exchange(request: Request, policy: RetryPolicy, deadline: float) -> Flow[Answer]:
    """Send a request, again if need be, and return its answer.

    Raises:
        ProblemError: The answer is a problem.
        UnreachableError: No answer came.
    """
    patience = Patience(policy, deadline)
    while True:
        reply: Answer | Lost = yield Send(request)
        error = refusal_of(reply)
        if error is None:
            assert isinstance(reply, Answer)  # noqa: S101 - for mypy
            return reply
        yield patience.pause_after(error)


def refusal_of(reply: Answer | Lost) -> PenstockError | None:
    """Return the error of a reply; None if it is an answer that accepts the request."""
    if isinstance(reply, Lost):
        return UnreachableError(reply.reason)
    if reply.status < _FIRST_REFUSAL:
        return None
    seconds = reply.headers.get("retry-after", "")
    retry_after_s = float(seconds) if seconds.isascii() and seconds.isdigit() else 0.0
    return problem_error(_problem_in(reply), retry_after_s)


def _problem_in(answer: Answer) -> dict[str, object]:
    """Return the problem in an answer; one that is not of a gateway has no code."""
    try:
        problem = answer.json()
    except PenstockError:
        problem = None
    if not isinstance(problem, dict) or not isinstance(problem.get("code"), str):
        problem = {"title": f"the answer has HTTP status {answer.status}"}
    return {**problem, "status": answer.status}
