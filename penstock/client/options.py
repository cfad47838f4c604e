"""The options of a call, apart from the arguments, so that no argument name is taken."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from penstock.client.steps import Query

_SENDABLE = re.compile(r"[\x20-\x7e]*")


class OptionNames(TypedDict, total=False):
    """The options that `with_options` takes."""

    delay: str | float | timedelta | None
    run_at: str | datetime | None
    priority: int | None
    fairness_key: str | None
    max_age: str | float | timedelta | None
    tags: Collection[str]
    callback: str | None
    idempotency_key: str | None
    timeout: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """The options of the calls of a client.

    Attributes:
        delay: Time to wait before the invocation may start: seconds, "30s", "5m" or a timedelta.
        run_at: Earliest start: a datetime with a time zone, or an RFC 3339 text.
        priority: From 0 to 9; higher starts first.
        fairness_key: Invocations of one function take turns by it (`?key=`).
        max_age: Expire if it has not started this long after it was due.
        tags: Labels to find the invocation by.
        callback: URL that gets the finished invocation.
        idempotency_key: For a day, the same key with the same call gets the first invocation. If
            None, every call has a key of its own, so that only its own repetitions are recognised.
        timeout: How long to wait for a result, in seconds; None waits for as long as it takes.
    """

    delay: str | float | timedelta | None = None
    run_at: str | datetime | None = None
    priority: int | None = None
    fairness_key: str | None = None
    max_age: str | float | timedelta | None = None
    tags: Collection[str] = ()
    callback: str | None = None
    idempotency_key: str | None = None
    timeout: float | None = None

    def query(self) -> Query:
        """Return the query parameters of a call."""
        single = {
            "delay": _duration(self.delay),
            "run_at": _moment(self.run_at),
            "priority": None if self.priority is None else str(self.priority),
            "key": self.fairness_key,
            "max_age": _duration(self.max_age),
        }
        given = tuple((name, text) for name, text in single.items() if text is not None)
        return given + tuple(("tag", tag) for tag in self.tags)

    def headers(self) -> dict[str, str]:
        """Return the headers of a call, with an idempotency key of its own if none is given."""
        headers = {"Idempotency-Key": self.idempotency_key or uuid.uuid4().hex}
        if self.callback is not None:
            headers["X-Callback-Url"] = self.callback
        for name, value in headers.items():
            require_sendable(name, value)
        return headers


def require_sendable(name: str, value: str) -> None:
    """Raise a ValueError if a header cannot carry a text."""
    if not _SENDABLE.fullmatch(value):
        raise ValueError(f"{name} takes printable ASCII characters only")


def _duration(value: str | float | timedelta | None) -> str | None:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    return value if value is None or isinstance(value, str) else f"{value:.3f}s"


def _moment(value: str | datetime | None) -> str | None:
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError(f"run_at needs a time zone: {value!r}")
    return value.isoformat()
