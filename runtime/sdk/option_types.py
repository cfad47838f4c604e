"""The options of @function as type checkers see them: names and types, none of them needed.

What is more than a type (bounds, shapes of texts) is judged when the file loads, by
`runtime.sdk.option_parsing`; a test holds the names here and there together.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Literal, TypedDict

from runtime.sdk.options import RetryPolicy

Duration = str | int | float | timedelta
Exceptions = str | type[BaseException] | Collection[str | type[BaseException]]


class RetryOptions(TypedDict, total=False):
    """A retry policy: so many retries, after delays that grow from `first` to `longest`."""

    retries: int
    first: Duration
    factor: float
    longest: Duration
    jitter: float
    on: Exceptions


class FunctionOptions(TypedDict, total=False):
    """What @function takes."""

    name: str | None
    timeout: Duration
    grace: Duration
    retries: int | RetryOptions | RetryPolicy
    queue: str
    concurrency: int | None
    per_process: int | None
    rate: str | None
    priority: int
    schedule: str | None
    timezone: str
    isolation: Literal["process", "thread"]
    memory: str | int
    max_age: Duration | None
    max_waiting: int | None
    result_ttl: Duration
