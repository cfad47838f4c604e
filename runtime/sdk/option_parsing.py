"""Parse and check the arguments of @function(…).

One table has one parser per option. An unknown option, or a value that is not allowed, raises an
OptionError that says what was given and what is allowed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from runtime.errors import OptionError
from runtime.sdk.cron_syntax import check_cron, check_timezone
from runtime.sdk.durations import EXAMPLES, SECONDS_PER_UNIT, parse_duration
from runtime.sdk.exception_names import ClassName, full_name
from runtime.sdk.options import Options, Rate, RetryPolicy
from runtime.sdk.origins import parse_origins
from runtime.sdk.verification import parse_verification

NAME_RULE = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*", re.ASCII)
NAME_PATTERN = f"^{NAME_RULE.pattern}$"  # for JSON Schema
NAME_LONGEST = 128
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_QUEUE_RULE = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,63}", re.ASCII)
_RATE_RULE = re.compile(r"([0-9]{1,9}) */ *([0-9]+(?:\.[0-9]+)?)? *(ms|s|m|h|d)", re.ASCII)
RATE_PATTERN = rf"^ *{_RATE_RULE.pattern} *$"
_SIZE_RULE = re.compile(r"(\d{1,15}(?:\.\d+)?)\s*([kmgt]i?b|b)?", re.ASCII | re.IGNORECASE)
_SIZES = {"": 1, "b": 1} | {
    f"{letter}{infix}b": step**power
    for power, letter in enumerate("kmgt", 1)
    for infix, step in (("", 1000), ("i", 1024))
}
_HOUR_S = 3600.0
_WEEK_S = 7 * 86_400.0
_YEAR_S = 366 * 86_400.0
_MEMORY_LEAST, _MEMORY_MOST = 32 * 1024**2, 1024**4
_MOST_RETRIES, _MOST_CONCURRENCY, _MOST_PRIORITY, _MOST_FACTOR = 100, 10_000, 9, 10
_MOST_PER_PROCESS, _MOST_WAITING = 1_000, 100_000_000


def is_function_name(text: str) -> bool:
    """Whether `text` is a valid name for a function."""
    return len(text) <= NAME_LONGEST and NAME_RULE.fullmatch(text) is not None


def parse_options(given: Mapping[str, object]) -> tuple[str | None, Options]:
    """Return the name, None if not given, and the checked options.

    Raises:
        OptionError: An option is unknown, its value is not allowed, or two options exclude each
            other.
    """
    parsed: dict[str, Any] = {}
    for option, value in given.items():
        if option not in _PARSERS:
            raise OptionError(f"@function has no option {option!r}{_nearest(option, _PARSERS)}")
        target, parse = _PARSERS[option]
        try:
            parsed[target] = parse(value)
        except ValueError as error:
            raise OptionError(f"@function({option}={value!r}): {error}") from error
    name = parsed.pop("name", None)
    if "timezone" in parsed and parsed.get("schedule") is None:
        raise OptionError("@function(timezone=…) needs schedule=…")
    if parsed.get("isolation") == "thread" and "memory_bytes" in parsed:
        raise OptionError(
            "@function(memory=…): only a process can have a memory limit; "
            "remove it, or use isolation='process'"
        )
    if parsed.get("isolation") == "thread" and parsed.get("grace_s"):
        raise OptionError(
            "@function(grace=…): a thread is interrupted at its timeout and never killed; "
            "remove it, or use isolation='process'"
        )
    if parsed.get("isolation") == "thread" and (parsed.get("per_process") or 1) > 1:
        raise OptionError(
            "@function(per_process=…): with isolation='thread' each thread of the worker runs one "
            "call at a time; remove it, or use isolation='process'"
        )
    return name, Options(**parsed)


def _nearest(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    return f"{hint} Allowed: {', '.join(known)}"


def _name(value: object) -> str:
    if isinstance(value, str) and is_function_name(value):
        return value
    raise ValueError(
        "a name consists of lower-case letters, digits and _, in parts joined by dots, such as "
        f"billing.invoice; no part starts with a digit; {NAME_LONGEST} characters at most"
    )


def _duration(least_s: float, most_s: float, limits: str) -> Callable[[object], float]:
    def parse(value: object) -> float:
        try:
            seconds = parse_duration(value)
        except ValueError:
            raise ValueError(f"takes a duration: {EXAMPLES}") from None
        if not least_s <= seconds <= most_s:
            raise ValueError(f"takes {limits}")
        return seconds

    return parse


def _whole(least: int, most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"takes a whole number from {least} to {most}")
        return value

    return parse


def _unset(parse: Callable[[object], Any]) -> Callable[[object], Any]:
    return lambda value: None if value is None else parse(value)


def _retries(value: object) -> RetryPolicy:
    if isinstance(value, RetryPolicy):
        given: dict[str, object] = {
            _RETRY_FIELDS[f.name]: getattr(value, f.name) for f in fields(RetryPolicy)
        }
    elif isinstance(value, Mapping):
        given = {str(key): part for key, part in value.items()}
    else:
        given = {"retries": value}
    parsed: dict[str, Any] = {}
    for key, part in given.items():
        if key not in _RETRY_PARSERS:
            raise ValueError(f"a retry policy has no field {key!r}{_nearest(key, _RETRY_PARSERS)}")
        target, parse = _RETRY_PARSERS[key]
        try:
            parsed[target] = parse(part)
        except ValueError as error:
            whole = isinstance(value, int) or not isinstance(value, RetryPolicy | Mapping)
            other = ", or a policy such as {'retries': 3, 'first': '1s', 'longest': '10m'}"
            raise ValueError(f"{error}{other}" if whole else f"{key}: {error}") from error
    policy = RetryPolicy(**parsed)
    if policy.longest_s < policy.first_s:
        raise ValueError("longest: must not be shorter than first")
    return policy


def _fraction(least: float, most: float) -> Callable[[object], float]:
    def parse(value: object) -> float:
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and least <= value <= most
        ):
            return float(value)
        raise ValueError(f"takes a number from {least:g} to {most:g}")

    return parse


def _exceptions(value: object) -> tuple[str, ...]:
    single = isinstance(value, str | type)
    parts = [value] if single else list(value) if isinstance(value, list | tuple | set) else None
    if parts is None:
        raise ValueError("takes exception classes or their names")
    names = []
    for part in parts:
        if isinstance(part, str) and all(name.isidentifier() for name in part.split(".")):
            names.append(part)
        elif isinstance(part, type) and issubclass(part, BaseException):
            names.append(ClassName(full_name(part)))
        else:
            raise ValueError(f"takes exception classes or their names, not {part!r}")
    return tuple(names)


def _queue(value: object) -> str:
    if isinstance(value, str) and _QUEUE_RULE.fullmatch(value):
        return value
    raise ValueError(
        "takes a queue's name: lower-case letters, digits and the characters _ - . (64 at most, "
        "the first a letter, a digit or _)"
    )


def parse_rate(value: object) -> Rate:
    """Parse a rate such as `100/m` or `5/30s`.

    Raises:
        ValueError: It is not a rate; the text shows examples.
    """
    match = _RATE_RULE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match and int(match[1]) > 0:
        per_s = round(float(match[2] or 1) * SECONDS_PER_UNIT[match[3]], 9)
        if per_s > 0:
            return Rate(count=int(match[1]), per_s=per_s)
    raise ValueError("takes a count per time, such as '10/s', '100/m', '1000/h' or '5/30s'")


def _isolation(value: object) -> str:
    if isinstance(value, str) and value in {"process", "thread"}:
        return value
    raise ValueError("takes 'process' or 'thread'")


def _memory(value: object) -> int:
    size: float | None = None
    if isinstance(value, str) and (match := _SIZE_RULE.fullmatch(value.strip())):
        size = float(match[1]) * _SIZES[(match[2] or "").lower()]
    elif isinstance(value, int) and not isinstance(value, bool):
        size = value
    if size is None or not _MEMORY_LEAST <= size <= _MEMORY_MOST:
        raise ValueError("takes bytes or a text such as '256MB' or '1GiB', from 32MiB to 1TiB")
    return int(size)


def _methods(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple | set | frozenset) and value:
        given = {part.upper() if isinstance(part, str) else "" for part in value} - {"HEAD"}
        if given and given <= set(METHODS):
            return tuple(method for method in METHODS if method in given)
    raise ValueError(f"takes a list of HTTP methods: {', '.join(METHODS)}; HEAD comes with GET")


_RETRY_PARSERS: dict[str, tuple[str, Callable[[object], Any]]] = {
    "retries": ("retries", _whole(0, _MOST_RETRIES)),
    "first": ("first_s", _duration(0.001, _WEEK_S, "from 1ms to 7d")),
    "factor": ("factor", _fraction(1, _MOST_FACTOR)),
    "longest": ("longest_s", _duration(0.001, _WEEK_S, "from 1ms to 7d")),
    "jitter": ("jitter", _fraction(0, 1)),
    "on": ("on", _exceptions),
}
_RETRY_FIELDS = {target: key for key, (target, _) in _RETRY_PARSERS.items()}
_PARSERS: dict[str, tuple[str, Callable[[object], Any]]] = {
    "name": ("name", _unset(_name)),
    "timeout": ("timeout_s", _duration(0.001, _WEEK_S, "from 1ms to 7d")),
    "grace": ("grace_s", _duration(0, _HOUR_S, "from 0s to 1h")),
    "retries": ("retry", _retries),
    "queue": ("queue", _queue),
    "concurrency": ("concurrency", _unset(_whole(1, _MOST_CONCURRENCY))),
    "per_process": ("per_process", _unset(_whole(1, _MOST_PER_PROCESS))),
    "rate": ("rate", _unset(parse_rate)),
    "priority": ("priority", _whole(0, _MOST_PRIORITY)),
    "schedule": ("schedule", _unset(check_cron)),
    "timezone": ("timezone", check_timezone),
    "isolation": ("isolation", _isolation),
    "memory": ("memory_bytes", _memory),
    "max_age": ("max_age_s", _unset(_duration(0.001, _YEAR_S, "from 1ms to 366d"))),
    "max_waiting": ("max_waiting", _unset(_whole(1, _MOST_WAITING))),
    "methods": ("methods", _methods),
    "result_ttl": ("result_ttl_s", _duration(1, _YEAR_S, "from 1s to 366d")),
    "cors": ("cors", parse_origins),
    "verify": ("verify", _unset(parse_verification)),
}
OPTION_NAMES = tuple(_PARSERS)
