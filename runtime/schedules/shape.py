"""How a function is invoked by a schedule: by the same rules as by a caller."""

from __future__ import annotations

from runtime.invocations.submission import prepare
from runtime.registry.manifest import Manifest
from runtime.store.schedule_calls import Shape


def shape_of(manifest: Manifest) -> Shape:
    """Return what the scripts need to know of the function.

    Raises:
        FunctionUnavailableError: No version of it ever loaded.
    """
    submission = prepare(manifest, b"{}")
    return Shape(
        version=submission.version,
        queue=submission.queue,
        priority=submission.priority,
        max_age_ms=submission.max_age_ms,
        max_waiting=submission.max_waiting,
    )
