"""The frames between a worker and its runner process.

    → load   limits, bundle                 the first frame, once; answered with serial 0
    → run    start, arguments, request      one attempt
    → stop   serial, reason                 concurrent attempts only: end this one
    ← log | progress | item | event   serial, payload      any number
    ← done   serial, ending, result, microseconds          one per attempt
    ← full   ending                         out of memory, even for reading the next frame

Sequential attempts are answered in the order of sending, concurrent ones in any order. Events that
no attempt can be found for have serial 0. Limits, starts and endings are JSON arrays: the worker
codes them in `worker_codec`, with msgspec, the runner in `runner_codec`, with pydantic.
"""

from __future__ import annotations

from typing import Final, NamedTuple

LOAD: Final = b"load"
RUN: Final = b"run"
STOP: Final = b"stop"
DONE: Final = b"done"
FULL: Final = b"full"
LOG: Final = b"log"
PROGRESS: Final = b"progress"
ITEM: Final = b"item"
EVENT: Final = b"event"
MAX_ENDING_BYTES: Final = 1_048_576
MAX_EVENT_BYTES: Final = 262_144
EVENTS: Final = frozenset({LOG, PROGRESS, ITEM, EVENT})
PARTS: Final = {DONE: 5, FULL: 2, LOG: 3, PROGRESS: 3, ITEM: 3, EVENT: 3}
LOADING: Final = 0
# Endings after which the runner may start another attempt; after any other it starts none. With
# concurrent attempts, "exited" and an ending that the worker asked for are harmless too.
HARMLESS: Final = frozenset(
    {
        "succeeded",
        "retry",
        "rejected",
        "arguments_invalid",
        "exception",
        "result_not_serializable",
        "result_too_large",
    }
)
TIMEOUT: Final = b"timeout"
CANCELLED: Final = b"cancelled"


class RunnerLimits(NamedTuple):
    """The limits a runner enforces for each attempt; sent once, with `load`.

    Attributes:
        loop_stall_s: A step of the event loop that takes longer puts a warning into the log of
            its attempt.
    """

    max_result_bytes: int
    max_log_bytes: int
    loop_stall_s: float = 1.0


class Start(NamedTuple):
    """The first part of a `run` frame.

    Attributes:
        serial: Identifies the attempt in all other frames.
        burst: The serial of the first attempt of its burst (attempts sent together); 0 if sent
            alone. The runner takes one ticket before each attempt of a burst and skips the
            attempt if there is none.
        has_more: More of the burst follow, so its answer need not wake the worker.
        per_process: How many attempts may run at the same time; 1 for sequential attempts.
    """

    serial: int
    id: str
    function: str
    attempt: int
    timeout_s: float
    traceparent: str | None = None
    has_request: bool = False
    tracestate: str | None = None
    burst: int = 0
    has_more: bool = False
    per_process: int = 1
