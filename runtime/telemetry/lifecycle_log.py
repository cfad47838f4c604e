"""Lifecycle events: one log line for each change of an invocation's status, with ids.

In JSON every change has its line. For people at a terminal the routine ones (accepted, started,
succeeded) only show at level debug. Changes that happen together are written together. No field
can hold arguments, results or texts of errors.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
USUAL = frozenset({"invocation_accepted", "invocation_started", "invocation_succeeded"})
_SERIOUS = frozenset(
    {"late_result_refused", "invocation_set_aside", "invocation_lost", "invocation_taken_over"}
)


class LifecycleEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of an invocation's status. Fields that do not apply are left out.

    Attributes:
        event: The name of the event, such as `invocation_failed`.
        error_type: The kind of failure, the invocation's `error.type`.
        duration_ms: How long the attempt ran.
    """

    event: str
    id: str = ""
    function: str = ""
    queue: str = ""
    attempt: int = 0
    worker: str = ""
    status: str = ""
    error_type: str = ""
    exception_type: str = ""
    duration_ms: int | None = None
    retry_in_ms: int | None = None
    count: int | None = None
    batch: str = ""
    retry_of: str = ""
    schedule: str = ""
    trace_id: str = ""

    @property
    def level(self) -> str:
        """The log level of this event."""
        return "warning" if self.event in _SERIOUS else "info"


class StatusLog:
    """Writes lifecycle events in the format and at the level of this process."""

    def __init__(
        self,
        *,
        level: str = "info",
        is_for_machines: bool = False,
        write: Callable[[str], object] = sys.stderr.write,
    ) -> None:
        self._write = write
        self._log = structlog.get_logger(__name__)
        self._least = LEVELS[level]
        self._is_for_machines = is_for_machines
        self.logs_routine = self._least <= LEVELS["info" if is_for_machines else "debug"]

    def log_events(self, changes: Sequence[LifecycleEvent]) -> None:
        """Write one line for each event that the level admits, all at once."""
        reported = [change for change in changes if self._is_logged(change)]
        if reported and self._is_for_machines:
            moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            lines = [_encode(change, moment) for change in reported]
            self._write(b"".join(lines).decode())
            return
        for change in reported:
            fields: dict[str, Any] = msgspec.to_builtins(change)
            getattr(self._log, "debug" if change.event in USUAL else change.level)(**fields)

    def _is_logged(self, change: LifecycleEvent) -> bool:
        if change.event in USUAL:
            return self.logs_routine
        return LEVELS[change.level] >= self._least


class _Current:
    """The lifecycle log of this process. The composition root replaces it once."""

    log = StatusLog()


def configure_status_log(
    *, level: str, is_for_machines: bool, write: Callable[[str], object]
) -> None:
    """Configure the lifecycle log of this process; with JSON, `write` gets whole lines."""
    _Current.log = StatusLog(level=level, is_for_machines=is_for_machines, write=write)


def logs_routine() -> bool:
    """Whether routine events are logged. If not, callers need not build them."""
    return _Current.log.logs_routine


def log_events(changes: Sequence[LifecycleEvent]) -> None:
    """Log events that happened together."""
    _Current.log.log_events(changes)


def _encode(change: LifecycleEvent, moment: str) -> bytes:
    body = msgspec.json.encode(change)
    return b'%b,"level":"%b","timestamp":"%b"}\n' % (
        body[:-1],
        change.level.encode(),
        moment.encode(),
    )
