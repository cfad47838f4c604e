"""Typed commands that create invocations, one or a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import msgspec

from runtime.store.scripts import Argument, Command, call_script

IDEMPOTENCY_TTL_MS = 24 * 3_600_000
STAGED_TTL_MS = 600_000
MOST_TOGETHER = 64
JOINED_AT_ONCE = 1_000

Reception = Literal[
    "NEW", "REPLAYED", "CONFLICT", "RETRIED", "FULL", "LIMITED", "INCOMPLETE", "REVOKED", "PART"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A rate limit: at most `count` calls in `per_ms` ms for one `caller`."""

    caller: str
    count: int
    per_ms: int


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a submission (a Struct for speed, because every call creates one).

    Attributes:
        reception: NEW; REPLAYED or CONFLICT: the idempotency key was used before, with the same
            body or another; RETRIED: that invocation has been retried before; FULL: too many wait;
            LIMITED: the caller exceeds its rate limit; INCOMPLETE: not all members of the batch are
            staged; REVOKED: the caller's key is no longer valid; PART: see `commit_batch`.
        id: The invocation or batch; the first one's if replayed or retried; empty if there is
            nothing more to report of a new call, because such calls share one answer.
        created_at_ms: When it was created, by Redis's clock; 0 unless NEW.
        waiting: How many wait, if FULL.
        retry_after_ms: When the caller may call again, if LIMITED.
        calls_left: How many more calls the caller may make at once; None without a limit.
        reset_ms: Until the caller has its whole allowance back.
    """

    reception: Reception
    id: str = ""
    created_at_ms: int = 0
    waiting: int = 0
    retry_after_ms: int = 0
    calls_left: int | None = None
    reset_ms: int = 0


class Idempotency(msgspec.Struct, frozen=True, kw_only=True):
    """A caller's idempotency key, digested with its scope, and a digest of the body.

    Attributes:
        is_webhook: Whether the key is a sender's id of a webhook: sent again, it runs again if its
            invocation failed or expired and nobody has retried that.
    """

    digest: str
    body_digest: str
    ttl_ms: int = IDEMPOTENCY_TTL_MS
    is_webhook: bool = False


_ANY_TIME = Idempotency(digest="", body_digest="", ttl_ms=0)
_ANY_PACE = Pace(caller="", count=0, per_ms=0)
_NO_FIELDS: Mapping[str, Argument | None] = {}
Parts = tuple[Argument, ...]


def parts_of(  # noqa: C901, PLR0912, PLR0913 - a parameter for each option
    *,
    fields: Mapping[str, Argument | None] = _NO_FIELDS,
    key: str = "",
    priority: int | None = None,
    delay_ms: int = 0,
    run_at_ms: int = 0,
    max_age_ms: int = 0,
    tags: Sequence[str] = (),
    idempotency: Idempotency | None = None,
    pace: Pace | None = None,
    retry_of: str = "",
    is_only_retry: bool = False,
    is_repeatable: bool = False,
    api_key: str = "",
) -> Parts:
    """Return the options of one call, besides its arguments: pairs of a name and a value.

    Args:
        fields: Further fields of the record; empty ones are left out.
        key: The fairness key.
        priority: None for the function's own.
        delay_ms: How long to wait before it may start.
        run_at_ms: When it may start, in ms since the epoch.
        max_age_ms: Expire it if it has not started so long after it was due.
        tags: Labels to find it by.
        idempotency: If its key was used before, the first request is the answer.
        pace: The caller's rate limit.
        retry_of: The invocation that it retries.
        is_only_retry: Refuse it if that invocation has been retried before.
        is_repeatable: The same id may be submitted twice and is created once.
        api_key: The id of the caller's API key; checked when the call is created.
    """
    parts: list[Argument] = []
    if api_key:
        parts += ("@api_key", api_key)
    if pace is not None:
        parts += ("@rate", f"{pace.count} {pace.per_ms} {pace.caller}")
    if idempotency is not None:
        parts += idempotency_part(idempotency)
    if delay_ms:
        parts += ("@delay_ms", delay_ms)
    if run_at_ms:
        parts += ("@run_at_ms", run_at_ms)
    if max_age_ms:
        parts += ("@max_age_ms", max_age_ms)
    if tags:
        parts += ("@tags", "\n".join(tags), "tags", msgspec.json.encode(tags))
    if retry_of:
        parts += ("@only_retry" if is_only_retry else "@retry_of", retry_of)
    if is_repeatable:
        parts += ("@repeatable", 1)
    if key:
        parts += ("key", key)
    if priority is not None:
        parts += ("priority", str(priority))
    for name, value in fields.items():
        if value:
            parts += (name, value)
    return tuple(parts)


def idempotency_part(first: Idempotency) -> Parts:
    """Return the option that makes the first request of this key the answer."""
    mode = " webhook" if first.is_webhook else ""
    return "@idempotency", f"{first.digest} {first.body_digest} {first.ttl_ms}{mode}"


def submit(
    *,
    function: str,
    queue: str,
    version: str,
    priority: int = 5,
    max_waiting: int = 0,
    waiter: str = "",
    entries: Iterable[tuple[str, bytes, Parts]] = (),
) -> Command[list[Submitted]]:
    """Create calls of one version of one function, given as (id, arguments, parts).

    Args:
        function: Its name.
        queue: Where its calls wait.
        version: The version they are for.
        priority: For calls that do not ask for another.
        max_waiting: Refuse calls beyond this number; 0 means no limit.
        waiter: The gateway to notify when they finish; empty for none.
        entries: At most `MOST_TOGETHER`.
    """
    words: list[Argument] = [function, queue, version, priority, max_waiting, waiter]
    for invocation_id, arguments, parts in entries:
        words += (invocation_id, arguments, len(parts), *parts)
    return call_script("submit_invocations", tuple(words), _read_answers)


def admit_batch(
    *,
    batch: str,
    function: str,
    size: int,
    max_waiting: int = 0,
    idempotency: Idempotency | None = None,
    pace: Pace | None = None,
    api_key: str = "",
) -> Command[Submitted]:
    """Check whether a batch would be accepted, and count it as one call of its caller."""
    first, limit = idempotency or _ANY_TIME, pace or _ANY_PACE
    words = (
        *(batch, function, size, max_waiting, first.digest, first.body_digest),
        *(limit.caller, limit.count, limit.per_ms, api_key),
    )
    return call_script("admit_batch", words, _read_submitted)


def stage_batch(  # noqa: PLR0913 - a parameter for each argument of the script
    *,
    batch: str,
    function: str,
    queue: str,
    version: str,
    entries: Iterable[tuple[str, bytes]],
    callback: str = "",
    priority: int = 5,
    key: str = "",
    tags: Sequence[str] = (),
    traceparent: str = "",
    tracestate: str = "",
    caller: str = "",
    secrets: bytes = b"",
) -> Command[int]:
    """Write some members, given as (id, arguments); return how many are staged now."""
    words: tuple[Argument, ...] = (
        *(batch, function, queue, version, callback, STAGED_TTL_MS, priority, key),
        *(msgspec.json.encode(tags) if tags else "", traceparent, tracestate, caller, secrets),
        *(part for entry in entries for part in entry),
    )
    return call_script("stage_batch", words, int)


def commit_batch(
    *,
    batch: str,
    size: int,
    delay_ms: int = 0,
    run_at_ms: int = 0,
    max_age_ms: int = 0,
    max_waiting: int = 0,
    idempotency: Idempotency | None = None,
    api_key: str = "",
) -> Command[Submitted]:
    """Create a staged batch, whole or not at all.

    PART: not all members have been checked yet, and the caller must repeat. The members of a batch
    with more than `JOINED_AT_ONCE` do not wait in the queue yet: call `join_batch`.
    """
    first = idempotency or _ANY_TIME
    words = (
        *(batch, size, delay_ms, run_at_ms, max_age_ms, max_waiting),
        *(first.digest, first.body_digest, first.ttl_ms, api_key),
    )
    return call_script("commit_batch", words, _read_submitted)


def join_batch(batch: str) -> Command[int]:
    """Let the next members of a committed batch join the queue; return how many have yet to."""
    return call_script("join_batch", (batch,), int)


def _read_answers(reply: list[Any]) -> list[Submitted]:
    """Return an answer for each entry; those with nothing more to report share one."""
    created_at_ms, *answers = reply
    created = Submitted(reception="NEW", created_at_ms=created_at_ms)
    return [created if answer == 0 else _read_submitted(answer) for answer in answers]


def _read_submitted(reply: list[Any]) -> Submitted:
    word, invocation_id, number, calls_left, reset_ms = reply
    if word == b"NEW":
        return Submitted(
            reception="NEW",
            id=invocation_id.decode(),
            created_at_ms=int(number),
            calls_left=None if calls_left < 0 else calls_left,
            reset_ms=reset_ms,
        )
    reception = cast("Reception", word.decode())
    return Submitted(
        reception=reception,
        id=invocation_id.decode(),
        waiting=int(number) if reception == "FULL" else 0,
        retry_after_ms=int(number) if reception == "LIMITED" else 0,
        calls_left=None if calls_left < 0 else calls_left,
        reset_ms=reset_ms,
    )
