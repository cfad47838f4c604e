"""Decide about a schedule that is due: what fires, what is skipped, when it is due next, and how.

`decide` sorts its moments into fired and missed; `target_of` describes the invocations to create.
Pure functions: the time comes from Redis's clock as an argument. Used by the ticker and, for the
tag and the target, by the gateway. The script that applies a decision checks that it is not stale.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.invocations.submission import prepare
from runtime.registry.manifest import Manifest
from runtime.schedules.cron import Cron
from runtime.store.schedule_commands import ScheduleTarget

MOST_CAUGHT_UP = 100
# A moment that is at most this late counts as on time: workers restart, machines are busy.
LATE_MS = 2_000
# How old the last moment may be to fire, when no worker was running at its time.
GRACE_MS = 60_000
MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What happens to the moments of a schedule since the last decision.

    Attributes:
        fire: The moments to fire, in order.
        missed: The moments that are too late to fire, in order.
        since_ms: Every moment up to here is decided.
        next_ms: When the schedule is due next; None if never.
    """

    fire: tuple[int, ...]
    missed: tuple[int, ...]
    since_ms: int
    next_ms: int | None


def decide(cron: Cron, *, since_ms: int, now_ms: int, catch_up: bool) -> Decision:
    """Decide about the moments in (since, now].

    With `catch_up` the last 100 of them fire. Without, those fire that are at most 2 s late, and
    the last one if it is at most a minute old. After a very long absence several decisions are
    needed; each of them but the last covers the first 1,000 moments that are left.
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
    # The moments that fire are always the last ones.
    missed = due[: len(due) - len(fire)]
    return Decision(
        fire=tuple(fire),
        missed=tuple(missed),
        since_ms=due[-1] if due else since_ms,
        next_ms=following,
    )


def tag_of(schedule_id: str) -> str:
    """Return the tag of a schedule's invocations, as the scripts write it, too."""
    return f"schedule:{schedule_id}"


def target_of(manifest: Manifest, *, max_waiting: int = 0) -> ScheduleTarget:
    """Return what the scripts need to create an invocation of the function.

    `max_waiting` applies if the function has no limit of its own.

    Raises:
        FunctionUnavailableError: No version of the function has ever loaded.
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
