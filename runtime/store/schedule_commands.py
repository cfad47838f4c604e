"""Typed commands for schedules: read, change, fire and tick them.

`runtime.schedules` computes due times; this module does not read cron lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Argument, Command, call_script, pairs

Source = Literal["decorator", "api"]
Change = Literal["CHANGED", "DELETED", "MISSING", "DECLARED"]
Fate = Literal["NEW", "LATE", "missed", "overlap", "full", "unavailable"]
SKIP_REASONS: tuple[Fate, ...] = ("missed", "overlap", "full", "unavailable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One schedule.

    Attributes:
        overlap: Whether it fires while its last invocation is unfinished.
        catch_up: Whether due times that passed while no ticker ran are made up for.
        secrets: Where secrets are in the arguments, encoded.
        skips: The latest due times at which it did not fire, with reasons; the latest first.
    """

    id: str
    function: str
    arguments: bytes
    cron: str
    timezone: str
    source: Source
    is_paused: bool
    overlap: bool
    catch_up: bool
    created_at_ms: int
    last_invocation: str | None
    fired: int
    skipped: int
    skips: tuple[tuple[int, str], ...]
    secrets: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePage:
    """Schedules, Redis's time when they were read, and the last id if there are more."""

    now_ms: int
    schedules: tuple[Schedule, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSchedule:
    """What a ticker needs to know of a schedule that is due.

    Attributes:
        due: Its due time as stored, to be returned with the tick.
        since_ms: Every due time up to this time has been fired or skipped.
        manifest: Its function's manifest, encoded; empty if there is no such function.
    """

    id: str
    due: bytes
    revision: bytes
    since_ms: int
    cron: str
    timezone: str
    catch_up: bool
    function: str
    manifest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSchedules:
    """What is due now, and how long until the next is; None if no further one is known."""

    now_ms: int
    wait_ms: int | None
    due: tuple[DueSchedule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTarget:
    """How a schedule's invocations are created, according to its function's manifest.

    An empty version means that the function does not exist, so that nothing is created.
    """

    version: str = ""
    queue: str = "default"
    priority: int = 5
    max_age_ms: int = 0
    max_waiting: int = 0
    secrets: bytes = b""

    def words(self) -> tuple[Argument, ...]:
        """Return the arguments for the scripts."""
        limits = (self.priority, self.max_age_ms, self.max_waiting)
        return (self.version, self.queue, *limits, self.secrets)


@dataclass(frozen=True, slots=True, kw_only=True)
class FireResult:
    """The result of firing by hand; `waiting` is set if FULL."""

    reception: Literal["NEW", "FULL", "MISSING"]
    created_at_ms: int = 0
    waiting: int = 0
    arguments: bytes = b"{}"


def create_schedule(schedule_id: str, fields: Mapping[str, Argument]) -> Command[int]:
    """Create a schedule, return when, by Redis's clock; an existing one is not changed."""
    words = (schedule_id, *_pairs(fields))
    return call_script("create_schedule", words, int)


def change_schedule(schedule_id: str, fields: Mapping[str, Argument]) -> Command[Change]:
    """Set some of `paused`, `cron`, `timezone`, `arguments`, `overlap`, `catch_up`."""
    words = (schedule_id, *_pairs(fields))
    return call_script("change_schedule", words, _read_change)


def delete_schedule(schedule_id: str) -> Command[Change]:
    """Delete a schedule."""
    return call_script("delete_schedule", (schedule_id,), _read_change)


def read_schedule(schedule_id: str) -> Command[SchedulePage]:
    """Read one schedule, as a page that is empty if there is none."""
    return call_script("read_schedules", (schedule_id, "", 1), _read_page)


def list_schedules(*, after: str, most: int) -> Command[SchedulePage]:
    """Read a page of schedules, by id; `after` is the last id of the page before, or ""."""
    return call_script("read_schedules", ("", after, most), _read_page)


def fire_schedule(
    schedule_id: str, *, invocation_id: str, shape: ScheduleTarget
) -> Command[FireResult]:
    """Invoke a schedule's function now, even if the schedule is paused."""
    words = (schedule_id, invocation_id, *shape.words())
    return call_script("fire_schedule_now", words, _read_fired)


def read_agenda(*, most: int) -> Command[DueSchedules]:
    """Read up to `most` schedules that are due."""
    return call_script("read_due_schedules", (most,), _read_agenda)


def tick_schedule(
    schedule: DueSchedule,
    *,
    since_ms: int,
    following_ms: int | None,
    shape: ScheduleTarget,
    missed: int = 0,
    moments: Sequence[tuple[int, str]] = (),
) -> Command[list[Fate]]:
    """Fire or skip due times and set the next one; ["LATE"] if another ticker was first.

    Args:
        schedule: As read.
        since_ms: All due times up to this time are handled by this tick.
        following_ms: The next due time, or None if there is none.
        shape: How invocations are created.
        missed: How many due times were skipped besides those in `moments`.
        moments: Due times, each with the id of its invocation, "" if it is too late for one.
    """
    following: Argument = "" if following_ms is None else following_ms
    words: tuple[Argument, ...] = (
        *(schedule.id, schedule.due, schedule.revision, since_ms, following),
        *shape.words(),
        missed,
        *(word for pair in moments for word in pair),
    )
    return call_script(
        "tick_schedule", words, lambda reply: [cast("Fate", fate.decode()) for fate in reply]
    )


def wake_key(keys: Keys) -> str:
    """Return the list on which tickers block."""
    return keys.build("schedules_wake")


def _pairs(fields: Mapping[str, Argument]) -> tuple[Argument, ...]:
    return tuple(word for pair in fields.items() for word in pair)


def _read_change(reply: bytes) -> Change:
    return cast("Change", reply.decode())


def _read_fired(reply: list[Any]) -> FireResult:
    reception = reply[0].decode()
    number = int(reply[1])
    return FireResult(
        reception=reception,
        created_at_ms=number if reception == "NEW" else 0,
        waiting=number if reception == "FULL" else 0,
        arguments=reply[2] or b"{}",
    )


def _read_page(reply: list[Any]) -> SchedulePage:
    return SchedulePage(
        now_ms=reply[0],
        next=reply[1].decode() or None,
        schedules=tuple(_read_schedule(*entry) for entry in reply[2:]),
    )


def _read_schedule(schedule_id: bytes, flat: list[bytes], skips: list[bytes]) -> Schedule:
    fields = {name.decode(): value for name, value in pairs(flat)}

    def text(name: str) -> str:
        return fields.get(name, b"").decode()

    return Schedule(
        id=schedule_id.decode(),
        function=text("function"),
        arguments=fields.get("arguments", b"{}"),
        secrets=fields.get("secrets", b""),
        cron=text("cron"),
        timezone=text("timezone"),
        source=cast("Source", text("source")),
        is_paused=text("paused") == "1",
        overlap=text("overlap") == "1",
        catch_up=text("catch_up") == "1",
        created_at_ms=int(text("created_at") or 0),
        last_invocation=text("last_invocation") or None,
        fired=int(text("fired") or 0),
        skipped=int(text("skipped") or 0),
        skips=tuple((int(skip.split()[0]), skip.split()[1].decode()) for skip in skips),
    )


def _read_agenda(reply: list[Any]) -> DueSchedules:
    return DueSchedules(
        now_ms=reply[0],
        wait_ms=None if reply[1] < 0 else reply[1],
        due=tuple(
            DueSchedule(
                id=entry[0].decode(),
                due=entry[1],
                revision=entry[2],
                since_ms=int(entry[3]),
                cron=entry[4].decode(),
                timezone=entry[5].decode(),
                catch_up=entry[6] == b"1",
                function=entry[7].decode(),
                manifest=entry[8],
            )
            for entry in reply[2:]
        ),
    )
