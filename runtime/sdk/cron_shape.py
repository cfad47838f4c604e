"""The shape of a cron line: five fields, or six with the seconds first; and its time zone.

Checked when a function file loads, so that a typing mistake is told at once. What
the line means (its moments) is decided where schedules are computed.
"""

from __future__ import annotations

import re
import zoneinfo

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
_MOST_FIELDS = len(_FIELDS)
_LONGEST = 250
_ZONE_LONGEST = 64
_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)
_LAST_DAY = re.compile(r"l|lw", re.IGNORECASE)
_NTH_WEEKDAY = re.compile(r"(\w+)#[1-5]|([0-7])[lL]", re.ASCII)


def check_cron(line: object) -> str:
    """Return the line with single spaces.

    Raises:
        ValueError: It is not a cron line; the text names the field.
    """
    if not isinstance(line, str):
        raise ValueError(f"a cron line is a text: {ALLOWED}")  # noqa: TRY004 - one error for all
    if len(line) > _LONGEST:
        raise ValueError(f"a cron line has at most {_LONGEST} characters")
    fields = line.split()
    if len(fields) not in {_MOST_FIELDS - 1, _MOST_FIELDS}:
        raise ValueError(f"a cron line has {ALLOWED}; this has {len(fields)}")
    for text, (name, low, high, words) in zip(fields, _FIELDS[-len(fields) :], strict=True):
        for part in text.split(","):
            if not _is_part(part, name, low, high, words):
                takes = f"{low}-{high}" + (f" or {words[0]}-{words[-1]}" if words else "")
                raise ValueError(f"{name} field {text!r}: takes {takes}, *, a-b, a,b or */n")
    return " ".join(fields)


def check_timezone(name: object) -> str:
    """Return the name of a time zone there is.

    Raises:
        ValueError: There is none of that name.
    """
    if isinstance(name, str) and 0 < len(name) <= _ZONE_LONGEST:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            pass
        else:
            return name
    raise ValueError("takes the name of a time zone, such as 'UTC' or 'Europe/Berlin'")


def _is_part(part: str, name: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    if name == "day" and _LAST_DAY.fullmatch(part):
        return True
    nth = _NTH_WEEKDAY.fullmatch(part)
    if name == "weekday" and nth:
        part = nth[1] or nth[2]
    match = _PART.fullmatch(part)
    if not match:
        return False
    bounds = [_number(text, low, words) for text in match.groups()[:2] if text is not None]
    if any(bound is None or not low <= bound <= high for bound in bounds):
        return False
    if len(bounds) > 1 and (bounds[0] or 0) > (bounds[1] or 0):
        return False
    return match[3] is None or int(match[3]) > 0


def _number(text: str, low: int, words: tuple[str, ...]) -> int | None:
    if text.isdecimal():
        return int(text)
    return words.index(text.lower()) + low if text.lower() in words else None
