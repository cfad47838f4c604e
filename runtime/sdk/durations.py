"""Parse durations: seconds, a text such as `150ms`, `30s`, `5m`, `2h` or `7d`, or a timedelta.

Used by the options of @function, by Retry, and by query parameters such as `delay`.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta

EXAMPLES = "seconds, or a text such as 150ms, 30s, 5m, 2h, 7d"
_WRITTEN = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)?", re.ASCII)
PATTERN = rf"^ *{_WRITTEN.pattern} *$"  # for JSON Schema
SECONDS_PER_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def parse_duration(value: object) -> float:
    """Return a duration in seconds.

    Raises:
        ValueError: The value is not a finite number ≥ 0, a text such as `30s`, or a timedelta ≥ 0.
    """
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, str):
        match = _WRITTEN.fullmatch(value.strip())
        if match:
            seconds = float(match[1]) * SECONDS_PER_UNIT[match[2] or "s"]
            return round(seconds, 9)  # 150 * 0.001 is not 0.15
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            seconds = float(value)
        except OverflowError:
            seconds = math.inf
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    raise ValueError(f"not a duration: {value!r}; write {EXAMPLES}")
