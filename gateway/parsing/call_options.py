"""Parse the options of a call from its query: delay, start time, priority, key, age and tags.

One table names the parser of each parameter. All faults of a query are reported together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from gateway.parsing.preferences import fault_of, read_query_lists, refuse_parameters
from gateway.routing.parameters import (
    CALL_OPTION_PARAMETERS,
    HIGHEST_PRIORITY,
    LONGEST_DELAY_DAYS,
    LONGEST_KEY,
    LONGEST_MAX_AGE_DAYS,
    LONGEST_TAG,
)
from runtime.errors import ArgumentFault
from runtime.sdk.durations import EXAMPLES, parse_duration

_DAY_S = 86_400
_AT_ONCE_MS = 1
# RFC 3339, section 5.6, which also allows a space instead of the T.
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}):(\d{2})(?:\.(\d{1,9}))?"
    r"(?:([Zz])|([+ -])(\d{2}):([0-5]\d))",
    re.ASCII,
)
_RUN_AT = (
    "an RFC 3339 time with an offset, such as 2026-11-22T09:30:00Z or 2026-11-22T09:30:00%2B01:00"
)


@lru_cache(maxsize=256)
def parse_call_options(query: str) -> Mapping[str, Any]:
    """Return the options in the query of a call, as fields of `CallOptions`.

    Raises:
        ProblemError: `parameter_invalid`, with a fault for each unknown or wrong parameter.
    """
    return MappingProxyType(_read(read_query_lists(query, CALL_OPTION_PARAMETERS)))


def read_tag(text: str) -> str:
    """Return the text if it is a valid tag.

    Raises:
        ValueError: It is not a tag; the message says what is expected.
    """
    return _label(text, LONGEST_TAG)


def _read(given: Mapping[str, list[str]]) -> dict[str, Any]:
    call_options: dict[str, Any] = {}
    faults: list[ArgumentFault] = []
    for name, values in given.items():
        field, read = _READERS[name]
        try:
            call_options[field] = read(values)
        except ValueError as error:
            faults.append(fault_of(f"?{name}", f"takes {error}"))
    if "delay" in given and "run_at" in given:
        for name, other in (("delay", "run_at"), ("run_at", "delay")):
            faults.append(fault_of(f"?{name}", f"contradicts ?{other}; give only one of them"))
    refuse_parameters(faults)
    return call_options


def _delay(values: list[str]) -> int:
    return _duration_ms(values[0], least_ms=0, most_days=LONGEST_DELAY_DAYS)


def _max_age(values: list[str]) -> int:
    return _duration_ms(values[0], least_ms=1, most_days=LONGEST_MAX_AGE_DAYS)


def _duration_ms(text: str, *, least_ms: int, most_days: int) -> int:
    """Return ms, rounded up, so that an invocation never starts too early."""
    limits = f"{EXAMPLES}; from {'1ms' if least_ms else '0'} to {most_days}d"
    try:
        seconds = parse_duration(text)
    except ValueError:
        raise ValueError(limits) from None
    duration_ms = math.ceil(round(seconds * 1000, 6))
    if not least_ms <= duration_ms <= most_days * _DAY_S * 1000:
        raise ValueError(limits)
    return duration_ms


def _run_at(values: list[str]) -> int:
    """Return ms since the epoch, at least 1: a time in the past means now."""
    return max(_AT_ONCE_MS, read_moment(values[0]))


def read_moment(text: str) -> int:
    """Return an RFC 3339 time in ms since the epoch, rounded up.

    Raises:
        ValueError: It is not such a time; the message says what is expected.
    """
    # An unescaped plus sign in a query is decoded as a space.
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise ValueError(_RUN_AT)
    day, minute, second, fraction, _, sign, hours, minutes = match.groups()
    leap = second == "60"  # RFC 3339, section 5.7
    try:
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        zone = timezone(-offset if sign == "-" else offset)
        whole = datetime.fromisoformat(f"{day}T{minute}:{'59' if leap else second}")
        moment = whole.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(_RUN_AT) from None
    at_ms = (int(moment.timestamp()) + leap) * 1000
    return at_ms + math.ceil(int((fraction or "0").ljust(9, "0")) / 1_000_000)


def _priority(values: list[str]) -> int:
    text = values[0]
    if len(text) != 1 or text not in "0123456789":
        raise ValueError(f"a digit from 0 to {HIGHEST_PRIORITY}; higher starts first")
    return int(text)


def _key(values: list[str]) -> str:
    return _label(values[0], LONGEST_KEY)


def _tags(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(read_tag, values)))


def _label(text: str, longest: int) -> str:
    if 0 < len(text) <= longest and text.isprintable() and "\N{REPLACEMENT CHARACTER}" not in text:
        return text
    raise ValueError(f"1 to {longest} characters without control characters")


_READERS: dict[str, tuple[str, Callable[[list[str]], object]]] = {
    "delay": ("delay_ms", _delay),
    "run_at": ("run_at_ms", _run_at),
    "priority": ("priority", _priority),
    "key": ("key", _key),
    "max_age": ("max_age_ms", _max_age),
    "tag": ("tags", _tags),
}
