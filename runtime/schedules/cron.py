"""A cron line in a time zone: the moments that it names, also when clocks change.

cronsim computes the calendar. How wall-clock times become moments is our own rule:

- A line with a fixed time of day (`30 2 * * *`) fires once on every day it names. A time that the
  clock skips fires when the gap ends; a time that the clock shows twice fires the first time.
- A line whose minute or hour is `*`, `*/n` or all values follows elapsed time: it fires each time
  the clock shows a time it names: twice if that is shown twice, not at all if it is skipped.

Moments are ms since the epoch. Used by the ticker, and by the gateway to show what comes next.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from runtime.sdk.cron_syntax import check_cron, check_timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_MS = timedelta(milliseconds=1)
_HOURS, _MINUTES = 24, 60


class Cron:
    """One cron line in one time zone.

    Args:
        line: Five fields, or six with the seconds first.
        timezone: An IANA name such as `Europe/Berlin`.

    Raises:
        ValueError: The line is malformed or the time zone unknown.
    """

    def __init__(self, line: str, timezone: str) -> None:
        self._line = check_cron(line, is_kept=True)
        self._zone = ZoneInfo(check_timezone(timezone))
        try:
            calendar = CronSim(self._line, datetime(2000, 1, 1))  # noqa: DTZ001 - wall clock
        except CronSimError as error:
            raise ValueError(f"{line!r}: {error}") from error
        minute, hour = self._line.split()[-5:-3]
        self._is_fixed = not (
            minute.startswith("*")
            or hour.startswith("*")
            or len(calendar.minutes) == _MINUTES
            or len(calendar.hours) == _HOURS
        )

    def moments_after(self, after_ms: int) -> Iterator[int]:
        """Yield every moment after `after_ms`, in order. Ends when 50 years have none."""
        after = _EPOCH + after_ms * _MS
        moments = self._fixed_after(after) if self._is_fixed else self._elapsing_after(after)
        return ((moment - _EPOCH) // _MS for moment in moments)

    def next_after(self, after_ms: int) -> int | None:
        """Return the first moment after `after_ms`, or None if there is none."""
        return next(self.moments_after(after_ms), None)

    def next_few(self, after_ms: int, count: int) -> list[int]:
        """Return the first `count` moments after `after_ms`."""
        return list(islice(self.moments_after(after_ms), count))

    def _walls_after(self, wall: datetime) -> Iterator[datetime]:
        """Yield the wall-clock times the line names after `wall`, ignoring changes of the clock."""
        return CronSim(self._line, wall)

    def _fixed_after(self, after: datetime) -> Iterator[datetime]:
        latest = after
        for wall in self._walls_after(after.astimezone(self._zone).replace(tzinfo=None)):
            moment = self._first_moment_of(wall)
            if moment > latest:  # all times that one gap skips are one moment
                latest = moment
                yield moment

    def _first_moment_of(self, wall: datetime) -> datetime:
        """Return when the clock first shows `wall`, or when the gap that skips it ends."""
        first = wall.replace(tzinfo=self._zone, fold=0).astimezone(UTC)
        if first.astimezone(self._zone).replace(tzinfo=None) == wall:
            return first
        before = wall.replace(tzinfo=self._zone, fold=1).astimezone(UTC)
        return self._change_between(before, first) or first

    def _elapsing_after(self, after: datetime) -> Iterator[datetime]:
        checked, offset = after, self._offset(after)
        wall = (after + offset).replace(tzinfo=None)
        while True:
            change = None
            for named in self._walls_after(wall):
                moment = named.replace(tzinfo=UTC) - offset
                change = self._change_between(checked, moment)
                if change is not None:
                    break
                checked = moment
                yield moment
            if change is None:
                return
            checked, offset = change, self._offset(change)
            wall = (change + offset - _SECOND).replace(tzinfo=None)

    def _change_between(self, start: datetime, end: datetime) -> datetime | None:
        """Return the first moment in (start, end] at which the UTC offset differs from start's.

        Two changes within a day that cancel out are missed; no time zone has any.
        """
        offset = self._offset(start)
        known = start
        while known < end:
            probe = min(known + _DAY, end)
            if self._offset(probe) != offset:
                return self._bisect(known, probe, offset)
            known = probe
        return None

    def _bisect(self, before: datetime, after: datetime, offset: timedelta) -> datetime:
        before, after = before.replace(microsecond=0), after.replace(microsecond=0)
        while after - before > _SECOND:
            middle = before + (after - before) // 2 // _SECOND * _SECOND
            if self._offset(middle) == offset:
                before = middle
            else:
                after = middle
        return after

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self._zone).utcoffset() or timedelta()


@lru_cache(maxsize=1024)
def read_cron(line: str, timezone: str) -> Cron:
    """Return a parsed cron line, from a cache if it was parsed before.

    Raises:
        ValueError: The line is malformed or the time zone unknown.
    """
    return Cron(line, timezone)
