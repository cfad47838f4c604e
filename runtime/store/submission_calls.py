"""Giving birth to invocations, one or a batch at a time, as typed calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import msgspec

from runtime.store.scripts import Argument, Call, load_script

IDEMPOTENCY_TTL_MS = 24 * 3_600_000
STAGED_TTL_MS = 600_000
JOINED_AT_ONCE = 1_000

Reception = Literal[
    "NEW", "REPLAYED", "CONFLICT", "RETRIED", "FULL", "LIMITED", "INCOMPLETE", "REVOKED", "PART"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """At most `count` calls in `per_ms` for one `caller`."""

    caller: str
    count: int
    per_ms: int


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a submission (a Struct, because it is on the way of every call).

    Attributes:
        reception: NEW; REPLAYED and CONFLICT: the idempotency key was used before, with the
            same body or another; RETRIED: somebody repeated that invocation before; FULL: too
            many wait; LIMITED: the caller is too fast; INCOMPLETE: not all of the batch is
            staged; REVOKED: the caller's key is not valid any more.
        id: The invocation or batch; the first one's when replayed or retried; empty of plain
            calls, of which many are told at once.
        created_at_ms: Its birth, by Redis's clock; 0 unless NEW.
        waiting: How many wait, when FULL.
        retry_after_ms: When to come again, when LIMITED.
        calls_left: What the caller may still do at once; None without a limit.
        reset_ms: Until the caller has its whole allowance back.
    """

    reception: Reception
    id: str = ""
    created_at_ms: int = 0
    waiting: int = 0
    retry_after_ms: int = 0
    calls_left: int | None = None
    reset_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """A caller's key, digested with whatever it is unique for, and a digest of the body."""

    digest: str
    body_digest: str
    ttl_ms: int = IDEMPOTENCY_TTL_MS


_ANY_TIME = Idempotency(digest="", body_digest="", ttl_ms=0)
_ANY_PACE = Pace(caller="", count=0, per_ms=0)


def submit(  # noqa: PLR0913 - a word for each of the script's
    *,
    invocation_id: str,
    function: str,
    queue: str,
    fields: Mapping[str, Argument],
    key: str = "",
    priority: int = 5,
    delay_ms: int = 0,
    run_at_ms: int = 0,
    max_age_ms: int = 0,
    max_waiting: int = 0,
    tags: Sequence[str] = (),
    idempotency: Idempotency | None = None,
    pace: Pace | None = None,
    retry_of: str = "",
    is_only_retry: bool = False,
    api_key: str = "",
) -> Call[Submitted]:
    """Give birth to an invocation; `fields` are further fields of its record."""
    if tags:
        fields = {**fields, "tags": msgspec.json.encode(tags)}
    first, limit = idempotency or _ANY_TIME, pace or _ANY_PACE
    words: tuple[Argument, ...] = (
        *(invocation_id, function, queue, key, priority, delay_ms, run_at_ms, max_age_ms),
        *(max_waiting, first.digest, first.body_digest, first.ttl_ms),
        *(limit.caller, limit.count, limit.per_ms, "\n".join(tags)),
        *(retry_of, "1" if is_only_retry else "", api_key),
        *(part for pair in fields.items() for part in pair),
    )
    return Call(words, _read_submitted, load_script("submit_invocation"))


def submit_plain(
    *,
    function: str,
    queue: str,
    version: str,
    priority: int = 5,
    max_waiting: int = 0,
    waiter: str = "",
    entries: Iterable[tuple[str, bytes]] = (),
) -> Call[Sequence[tuple[Submitted, int]]]:
    """Give birth to calls that wish nothing, as (fresh id, arguments).

    Returns what became of the first ones and of how many; NEW first, then FULL.
    """
    words: tuple[Argument, ...] = (
        *(function, queue, version, priority, max_waiting, waiter),
        *(part for entry in entries for part in entry),
    )
    return Call(words, _read_plain, load_script("submit_plain"))


def admit_batch(
    *,
    batch: str,
    function: str,
    size: int,
    max_waiting: int = 0,
    idempotency: Idempotency | None = None,
    pace: Pace | None = None,
    api_key: str = "",
) -> Call[Submitted]:
    """Ask whether a batch would be taken, and count it as one call of its caller."""
    first, limit = idempotency or _ANY_TIME, pace or _ANY_PACE
    words = (
        *(batch, function, size, max_waiting, first.digest, first.body_digest),
        *(limit.caller, limit.count, limit.per_ms, api_key),
    )
    return Call(words, _read_submitted, load_script("admit_batch"))


def stage_batch(  # noqa: PLR0913 - a word for each of the script's
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
) -> Call[int]:
    """Write some members, as (id, arguments); returns how many are staged by now."""
    words: tuple[Argument, ...] = (
        *(batch, function, queue, version, callback, STAGED_TTL_MS, priority, key),
        *(msgspec.json.encode(tags) if tags else "", traceparent, tracestate, caller),
        *(part for entry in entries for part in entry),
    )
    return Call(words, int, load_script("stage_batch"))


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
) -> Call[Submitted]:
    """Let a staged batch be born, whole.

    PART says that not all members have been looked for yet: it is to be called again. Of a batch
    with more than `JOINED_AT_ONCE` members none waits yet: `join_batch` follows.
    """
    first = idempotency or _ANY_TIME
    words = (
        *(batch, size, delay_ms, run_at_ms, max_age_ms, max_waiting),
        *(first.digest, first.body_digest, first.ttl_ms, api_key),
    )
    return Call(words, _read_submitted, load_script("commit_batch"))


def join_batch(batch: str) -> Call[int]:
    """Let the next members of a committed batch join the queue; return how many are left."""
    return Call((batch,), int, load_script("join_batch"))


def _read_plain(reply: list[int]) -> list[tuple[Submitted, int]]:
    created_at_ms, born, refused, waiting = reply
    parts = [(Submitted(reception="NEW", created_at_ms=created_at_ms), born)]
    if refused:
        parts.append((Submitted(reception="FULL", waiting=waiting), refused))
    return parts


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
