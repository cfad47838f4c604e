"""How old a release must be to be installed: a guard against those that were poisoned just now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_AGE = re.compile(r"(?P<count>\d+)\s*(?P<unit>[hdw])")
# As uv takes it in `exclude-newer`: "3 days", or ISO 8601's "P3D".
_UV_AGE = re.compile(r"P?T?(?P<count>\d+)\s*(?P<unit>[hdw])\w*", re.IGNORECASE)
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class ReleaseAge:
    """An age; `str` gives it as uv takes it, such as "3 days"."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"

    @property
    def length(self) -> timedelta:
        """Its length."""
        return timedelta(**{self.unit: self.count})

    def is_younger_than(self, exclude_newer: object) -> bool:
        """Whether a file's own `exclude-newer` (an age, a day or a moment) is the stricter one."""
        if isinstance(exclude_newer, str):
            if found := _UV_AGE.fullmatch(exclude_newer.strip()):
                own = ReleaseAge(int(found["count"]), _UNITS[found["unit"].lower()])
                return own.length >= self.length
            try:
                exclude_newer = datetime.fromisoformat(exclude_newer)
            except ValueError:
                return False
        if isinstance(exclude_newer, date) and not isinstance(exclude_newer, datetime):
            exclude_newer = datetime(exclude_newer.year, exclude_newer.month, exclude_newer.day)  # noqa: DTZ001 - see below
        if not isinstance(exclude_newer, datetime):
            return False
        moment = exclude_newer if exclude_newer.tzinfo else exclude_newer.replace(tzinfo=UTC)
        return moment <= datetime.now(UTC) - self.length


def parse_age(text: str) -> ReleaseAge:
    """Return an age such as 12h, 3d or 2w; raises ValueError."""
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"an age such as 12h, 3d or 2w (got {text!r})")
    return ReleaseAge(int(found["count"]), _UNITS[found["unit"]])
