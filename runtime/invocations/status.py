"""The statuses of an invocation, and the one table of legal moves between them.

The Lua scripts make the moves; a test runs them and compares them with this table.
"""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The status of an invocation."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


FINISHED = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.EXPIRED})

MOVES: dict[tuple[Status, Status], str] = {
    (Status.SCHEDULED, Status.QUEUED): "its time has come",
    (Status.SCHEDULED, Status.CANCELLED): "cancelled while waiting",
    (Status.SCHEDULED, Status.EXPIRED): "older than max_age",
    (Status.QUEUED, Status.RUNNING): "claimed by a worker",
    (Status.QUEUED, Status.CANCELLED): "cancelled while waiting",
    (Status.QUEUED, Status.EXPIRED): "older than max_age",
    (Status.RUNNING, Status.SUCCEEDED): "the function returned",
    (Status.RUNNING, Status.FAILED): "the function failed for good, or the third runner died",
    (Status.RUNNING, Status.RETRYING): "the function failed and may try again",
    (Status.RUNNING, Status.QUEUED): "its runner or worker died, or a stopping worker gave it back",
    (Status.RUNNING, Status.CANCELLED): "cancelled while running",
    (Status.RETRYING, Status.QUEUED): "its next attempt is due",
    (Status.RETRYING, Status.CANCELLED): "cancelled while waiting",
    (Status.RETRYING, Status.EXPIRED): "older than max_age",
}
