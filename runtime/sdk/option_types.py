"""The options of @function for type checkers: their names and types; all are optional.

`runtime.sdk.option_parsing` checks what a type cannot express, such as bounds and the syntax of
texts, when the file loads. A test ensures that both modules have the same names.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Literal, TypedDict

from runtime.sdk.options import RetryPolicy

Duration = str | int | float | timedelta
Exceptions = str | type[BaseException] | Collection[str | type[BaseException]]


class RetryOptions(TypedDict, total=False):
    """A retry policy: the number of retries, and delays that grow from `first` to `longest`."""

    retries: int
    first: Duration
    factor: float
    longest: Duration
    jitter: float
    on: Exceptions


class FunctionOptions(TypedDict, total=False):
    """The options of @function."""

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
    methods: Collection[str]
    cors: str | Collection[str]
    verify: str | None
