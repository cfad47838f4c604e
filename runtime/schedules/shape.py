"""How a function is invoked by a schedule: by the same rules as by a caller."""

from __future__ import annotations

from runtime.invocations.submission import prepare
from runtime.registry.manifest import Manifest
from runtime.store.schedule_commands import ScheduleTarget


def tag_of(schedule_id: str) -> str:
    """Return the tag of every invocation of a schedule; the scripts write the same."""
    return f"schedule:{schedule_id}"


def target_of(manifest: Manifest, *, max_waiting: int = 0) -> ScheduleTarget:
    """Return what the scripts need to know of the function.

    `max_waiting` counts where the function has no limit of its own.

    Raises:
        FunctionUnavailableError: No version of it ever loaded.
    """
    submission = prepare(manifest, b"{}", max_waiting=max_waiting)
    return ScheduleTarget(
        version=submission.version,
        queue=submission.queue,
        priority=submission.priority,
        max_age_ms=submission.max_age_ms,
        max_waiting=submission.max_waiting,
        secrets=submission.secrets,
    )
