"""Check the syntax of a cron line and the name of a time zone.

A line has five fields, or six with the seconds first. The check runs when a function file loads or
a schedule is created, so that a mistake is reported at once. `runtime.schedules` computes the
times that a line stands for.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass

ALLOWED = (
    "five fields (minute hour day month weekday) or six with the seconds first, "
    "such as '*/5 * * * *' or '30 0 9 * * mon-fri'"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _WEEKDAYS),
)
_SHORTHANDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MOST_FIELDS = len(_FIELDS)
_LONGEST = 250
_ZONE_LONGEST = 64
_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)
_LAST_DAY = re.compile(r"l|lw", re.IGNORECASE)
_NTH_WEEKDAY = re.compile(r"(\w+)#[1-5]|([0-7])[lL]", re.ASCII)


def check_cron(line: object, *, is_kept: bool = False) -> str:
    """Return the line normalized: five or six fields, separated by single spaces.

    Shorthands such as `@daily` become fields. Ranges of weekdays and months that wrap around, such
    as `sat-sun`, `fri-mon` and `nov-feb`, become lists.

    Args:
        line: A cron line.
        is_kept: Whether the line is stored already. Such a line may have a step so large that
            only one value is left; a new line may not.

    Raises:
        ValueError: It is not a valid cron line; the text names the field.
    """
    if not isinstance(line, str):
        raise ValueError(f"a cron line must be a string: {ALLOWED}")  # noqa: TRY004
    if len(line) > _LONGEST:
        raise ValueError(f"a cron line has at most {_LONGEST} characters")
    if line.strip().startswith("@"):
        return _spell_out(line.strip())
    fields = line.split()
    if len(fields) not in {_MOST_FIELDS - 1, _MOST_FIELDS}:
        raise ValueError(f"a cron line has {ALLOWED}; this one has {len(fields)}")
    kinds = [_Field(*kind) for kind in _FIELDS[-len(fields) :]]
    return " ".join(
        ",".join(field.check(part, text, is_kept=is_kept) for part in text.split(","))
        for text, field in zip(fields, kinds, strict=True)
    )


def _spell_out(shorthand: str) -> str:
    found = _SHORTHANDS.get(shorthand.lower())
    if found is None:
        why = ", as it has no fixed time" if shorthand.lower() == "@reboot" else ""
        allowed = ", ".join(_SHORTHANDS)
        raise ValueError(f"{shorthand!r} is not supported{why}; use one of {allowed}")
    return found


def check_timezone(name: object) -> str:
    """Return `name` if it is the name of a time zone on this machine.

    Raises:
        ValueError: There is no time zone of that name.
    """
    if isinstance(name, str) and 0 < len(name) <= _ZONE_LONGEST:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            pass
        else:
            return name
    raise ValueError("takes the name of a time zone, such as 'UTC' or 'Europe/Berlin'")


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a cron line: its name, the range of its values, and words for the values."""

    name: str
    low: int
    high: int
    words: tuple[str, ...]

    def check(self, part: str, text: str, *, is_kept: bool) -> str:
        """Return one comma-separated part of the field; a range that wraps becomes a list.

        Args:
            part: The part to check.
            text: The whole field, for the error.
            is_kept: As for `check_cron`.

        Raises:
            ValueError: The part is not valid.
        """
        if self._is_special(part):
            return part
        match = _PART.fullmatch(part)
        if not match:
            raise self._wrong(text)
        bounds = [self._number(bound) for bound in match.groups()[:2] if bound is not None]
        numbers = [bound for bound in bounds if bound is not None]
        if len(numbers) < len(bounds) or any(not self.low <= n <= self.high for n in numbers):
            raise self._wrong(text)
        step = int(match[3]) if match[3] else 1
        is_wrapped = len(numbers) > 1 and numbers[0] > numbers[1]
        if is_wrapped and not self.words:
            first, last = numbers
            advice = f"write {first}-{self.high},{self.low}-{last}"
            raise self._wrong(text, f"; for a range that wraps around {advice}")
        if match[3] is not None:
            self._check_step(numbers, step, text, is_kept=is_kept)
        return self._over_the_end(numbers[0], numbers[1], step) if is_wrapped else part

    def _is_special(self, part: str) -> bool:
        """Whether the part is `L`, `LW`, `5L` or `mon#2`: a last day or an nth weekday."""
        if self.name == "day":
            return _LAST_DAY.fullmatch(part) is not None
        nth = _NTH_WEEKDAY.fullmatch(part) if self.name == "weekday" else None
        number = self._number(nth[1] or nth[2]) if nth else None
        return number is not None and self.low <= number <= self.high

    def _number(self, text: str) -> int | None:
        if text.isdecimal():
            return int(text)
        return self.words.index(text.lower()) + self.low if text.lower() in self.words else None

    def _size(self) -> int:
        return 7 if self.name == "weekday" else self.high - self.low + 1

    def _over_the_end(self, first: int, last: int, step: int) -> str:
        """Return the values of a range that wraps around, as a list."""
        size = self._size()
        values = range(first - self.low, last - self.low + size + 1, step)
        return ",".join(str(value % size + self.low) for value in values)

    def _check_step(self, numbers: list[int], step: int, text: str, *, is_kept: bool) -> None:
        """Refuse a step that leaves only the first value: it is nearly always a mistake."""
        first = numbers[0] if numbers else self.low
        last = numbers[1] if len(numbers) > 1 else self.high
        longest = last - first + (self._size() if last < first else 0)
        if step < 1:
            raise self._wrong(text)
        if step <= longest or is_kept:
            return
        said = f"a step of {step} goes beyond {first}-{last}, so only {first} is left"
        if self.name == "minute" and step > self._size():
            said += (
                "; minutes start again every hour: to run every 90 minutes, use two lines, such as "
                "'0 0-21/3 * * *' and '30 1-22/3 * * *'"
            )
        else:
            said += f"; write {first} if you mean that"
        raise ValueError(f"{self.name} field {text!r}: {said}")

    def _wrong(self, text: str, more: str = "") -> ValueError:
        words = f" or {self.words[0]}-{self.words[-1]}" if self.words else ""
        takes = f"takes {self.low}-{self.high}{words}, *, a-b, a,b or */n"
        return ValueError(f"{self.name} field {text!r}: {takes}{more}")
