"""Giving birth to invocations, one or a batch at a time, as typed calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import msgspec

from runtime.store.scripts import Argument, Command, load_script

IDEMPOTENCY_TTL_MS = 24 * 3_600_000
STAGED_TTL_MS = 600_000
MOST_TOGETHER = 64
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
        id: The invocation or batch; the first one's when replayed or retried; empty of a call that
            was simply born, as many share that answer.
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


class Idempotency(msgspec.Struct, frozen=True, kw_only=True):
    """A caller's key, digested with whatever it is unique for, and a digest of the body."""

    digest: str
    body_digest: str
    ttl_ms: int = IDEMPOTENCY_TTL_MS


_ANY_TIME = Idempotency(digest="", body_digest="", ttl_ms=0)
_ANY_PACE = Pace(caller="", count=0, per_ms=0)
_NO_FIELDS: Mapping[str, Argument | None] = {}
Parts = tuple[Argument, ...]


def parts_of(  # noqa: C901, PLR0912, PLR0913 - all that one may ask for
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
    """Return what one call asks for besides its arguments: pairs of a name and a value.

    Args:
        fields: Further fields of its record; those that are empty are left out.
        key: The fairness key.
        priority: None is the function's own.
        delay_ms: Wait so long.
        run_at_ms: Wait until this moment.
        max_age_ms: Expire when it has not started so long after it was due.
        tags: Labels to find it by.
        idempotency: The first request of this key is the answer.
        pace: How fast its caller may call.
        retry_of: The invocation it repeats.
        is_only_retry: Refuse when somebody has repeated that before.
        is_repeatable: The same id may be submitted twice, and is born once.
        api_key: The id of the key that its caller shows; judged as the call is born.
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
    """Return what makes the first request of this key the answer."""
    return "@idempotency", f"{first.digest} {first.body_digest} {first.ttl_ms}"


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
    """Give birth to calls of one version of one function, as (id, arguments, parts).

    Args:
        function: Its name.
        queue: Where its calls wait.
        version: Which they are for.
        priority: Of those that ask for no other.
        max_waiting: Refuse what is more; 0 for any number.
        waiter: The gateway to tell of their ends; empty for none.
        entries: At most `MOST_TOGETHER`.
    """
    words: list[Argument] = [function, queue, version, priority, max_waiting, waiter]
    for invocation_id, arguments, parts in entries:
        words += (invocation_id, arguments, len(parts), *parts)
    return Command(tuple(words), _read_answers, load_script("submit_invocations"))


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
    """Ask whether a batch would be taken, and count it as one call of its caller."""
    first, limit = idempotency or _ANY_TIME, pace or _ANY_PACE
    words = (
        *(batch, function, size, max_waiting, first.digest, first.body_digest),
        *(limit.caller, limit.count, limit.per_ms, api_key),
    )
    return Command(words, _read_submitted, load_script("admit_batch"))


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
    secrets: bytes = b"",
) -> Command[int]:
    """Write some members, as (id, arguments); returns how many are staged by now."""
    words: tuple[Argument, ...] = (
        *(batch, function, queue, version, callback, STAGED_TTL_MS, priority, key),
        *(msgspec.json.encode(tags) if tags else "", traceparent, tracestate, caller, secrets),
        *(part for entry in entries for part in entry),
    )
    return Command(words, int, load_script("stage_batch"))


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
    """Let a staged batch be born, whole.

    PART says that not all members have been looked for yet: it is to be called again. Of a batch
    with more than `JOINED_AT_ONCE` members none waits yet: `join_batch` follows.
    """
    first = idempotency or _ANY_TIME
    words = (
        *(batch, size, delay_ms, run_at_ms, max_age_ms, max_waiting),
        *(first.digest, first.body_digest, first.ttl_ms, api_key),
    )
    return Command(words, _read_submitted, load_script("commit_batch"))


def join_batch(batch: str) -> Command[int]:
    """Let the next members of a committed batch join the queue; return how many are left."""
    return Command((batch,), int, load_script("join_batch"))


def _read_answers(reply: list[Any]) -> list[Submitted]:
    """Return an answer for each entry; those that are simply born share one."""
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
