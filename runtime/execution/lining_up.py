"""Which attempts go to a runner together, and the heads of their frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runtime.execution.outcome import Assignment
from runtime.execution.runner_frames import Start
from runtime.execution.sent_attempts import SentAttempt

_MOST_ARGUMENT_BYTES = 8_192  # of an attempt that is sent with others
_MOST_BURST_BYTES = 65_536  # of all of them: sent without waiting for the runner to read


def line_up(
    first: Assignment, following: Sequence[Assignment], serials: Iterator[int], timeout_s: float
) -> list[SentAttempt]:
    """Return an attempt and those that follow it, as they are sent."""
    serial = next(serials)
    if not following:
        start = _start_of(first, serial, timeout_s)
        return [SentAttempt(start, first.arguments, first.request)]
    line = [(serial, first), *((next(serials), one) for one in following)]
    last = line[-1][0]
    return [
        SentAttempt(
            _start_of(one, number, timeout_s, burst=serial, has_more=number != last),
            one.arguments,
            is_ahead=number != serial,
        )
        for number, one in line
    ]


def _start_of(
    assignment: Assignment,
    serial: int,
    timeout_s: float,
    *,
    burst: int = 0,
    has_more: bool = False,
) -> Start:
    return Start(
        serial=serial,
        id=assignment.id,
        function=assignment.function,
        attempt=assignment.attempt,
        timeout_s=timeout_s,
        traceparent=assignment.traceparent,
        tracestate=assignment.tracestate,
        has_request=assignment.request is not None,
        burst=burst,
        has_more=has_more,
    )


def leading(first: Assignment, following: Sequence[Assignment]) -> list[Assignment]:
    """Return those that may be sent with the first, up to one that may not."""
    found = []
    size_bytes = len(first.arguments)
    for one in following:
        size_bytes += len(one.arguments)
        if size_bytes > _MOST_BURST_BYTES or not may_follow(first, one):
            break
        found.append(one)
    return found


def may_follow(first: Assignment, following: Assignment) -> bool:
    """Whether an attempt may be sent together with another."""
    return (
        following.function == first.function
        and following.version == first.version
        and following.request is None
        and len(following.arguments) <= _MOST_ARGUMENT_BYTES
    )
