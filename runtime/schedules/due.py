"""What to do about a schedule that is due: which moments to fire, which to skip, when next.

Pure: the present comes from Redis's clock as an argument. Whether the decision still
counts when it arrives is decided in Redis.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.invocations.submission import prepare
from runtime.registry.manifest import Manifest
from runtime.schedules.cron import Cron
from runtime.store.schedule_commands import ScheduleTarget

MOST_CAUGHT_UP = 100
# Who is so little late is on time: workers restart, machines are busy.
LATE_MS = 2_000
# The last moment before the workers came back counts for so long.
GRACE_MS = 60_000
MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of the moments after `since_ms` of a schedule.

    Attributes:
        fire: To be fired, in order.
        missed: Too late to be fired, in order.
        since_ms: Up to here all is decided.
        next_ms: When to look again; None when nothing will ever come.
    """

    fire: tuple[int, ...]
    missed: tuple[int, ...]
    since_ms: int
    next_ms: int | None


def decide(cron: Cron, *, since_ms: int, now_ms: int, catch_up: bool) -> Decision:
    """Decide about the moments in (since, now].

    With `catch_up` the last hundred of them are fired. Without, those that are hardly late,
    and the last one if it is less than a minute old. After a very long absence it takes
    several decisions, each about the first thousand that are left.
    """
    kept = MOST_CAUGHT_UP if catch_up else 1
    due: list[int] = []
    for moment in cron.moments_after(since_ms):
        if moment > now_ms:
            return _decide(due, moment, since_ms=since_ms, now_ms=now_ms, catch_up=catch_up)
        due.append(moment)
        if len(due) == MOST_AT_ONCE + kept:
            missed = tuple(due[:MOST_AT_ONCE])
            return Decision(fire=(), missed=missed, since_ms=missed[-1], next_ms=due[MOST_AT_ONCE])
    return _decide(due, None, since_ms=since_ms, now_ms=now_ms, catch_up=catch_up)


def _decide(
    due: list[int], following: int | None, *, since_ms: int, now_ms: int, catch_up: bool
) -> Decision:
    if catch_up:
        fire = due[-MOST_CAUGHT_UP:]
    else:
        fire = [at for at in due[:-1] if now_ms - at <= LATE_MS]
        fire += [at for at in due[-1:] if now_ms - at <= GRACE_MS]
    # What is fired is always the end of what is due.
    missed = due[: len(due) - len(fire)]
    return Decision(
        fire=tuple(fire),
        missed=tuple(missed),
        since_ms=due[-1] if due else since_ms,
        next_ms=following,
    )


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
