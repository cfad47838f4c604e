"""A cron line in a time zone: which moments it names, across changes of the clock.

cronsim knows the calendar; from wall-clock times to moments it is our own rule:

- A line with a fixed time of day (`30 2 * * *`) comes once on every day it names. A time
  that the clock jumps over comes when the jump ends, one that it shows twice the first time.
- A line whose minute or hour is `*`, `*/n` or all there are follows elapsed time: it comes
  whenever the clock shows a time it names, twice if shown twice, not at all if jumped over.

Moments are ms since the epoch. Used by the ticker, and by the gateway to show what comes.
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
        timezone: A name such as `Europe/Berlin`.

    Raises:
        ValueError: No such line or time zone.
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
        """Yield every moment after `after_ms`, in order; ends when 50 years have none."""
        after = _EPOCH + after_ms * _MS
        moments = self._fixed_after(after) if self._is_fixed else self._elapsing_after(after)
        return ((moment - _EPOCH) // _MS for moment in moments)

    def next_after(self, after_ms: int) -> int | None:
        """Return the first moment after `after_ms`, or None when there is none."""
        return next(self.moments_after(after_ms), None)

    def next_few(self, after_ms: int, count: int) -> list[int]:
        """Return the first moments after `after_ms`."""
        return list(islice(self.moments_after(after_ms), count))

    def _walls_after(self, wall: datetime) -> Iterator[datetime]:
        """Yield the wall-clock times the line names after `wall`, as if no clock ever changed."""
        return CronSim(self._line, wall)

    def _fixed_after(self, after: datetime) -> Iterator[datetime]:
        latest = after
        for wall in self._walls_after(after.astimezone(self._zone).replace(tzinfo=None)):
            moment = self._first_moment_of(wall)
            if moment > latest:  # several times of one gap are one moment
                latest = moment
                yield moment

    def _first_moment_of(self, wall: datetime) -> datetime:
        """Return when the clock first shows `wall`, or when the gap that swallows it ends."""
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
        """Return the first moment in (start, end] at which the clock goes otherwise than at start.

        Two changes within a day that undo each other are not seen; there are none.
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
    """Return the cron line, parsed once.

    Raises:
        ValueError: No such line or time zone.
    """
    return Cron(line, timezone)
