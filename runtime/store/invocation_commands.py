"""Typed commands for the life of an invocation.

They take and return raw values. `runtime.invocations` interprets them; `runtime.broker` and
`runtime.worker` use the workers' commands directly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import hiredis
import msgspec

from runtime.errors import StoreError
from runtime.store.redis_keys import Keys
from runtime.store.scripts import Argument, Command, call_script, pairs

POISON_LIMIT = 3
MOST_CLAIMED = 1_000
GRACE_MS = 3_000
FAILURE_TTL_MS = 7 * 24 * 3_600_000

Settled = Literal["DONE", "STALE", "REPEATED", "BROKEN"]
Cancelled = Literal["CANCELLED", "CANCELLING", "FINISHED", "MISSING"]
T = TypeVar("T")


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt whose lease a worker now holds.

    `token` and `worker` together are its fencing token: after Redis was restored from an earlier
    state, two workers may hold the same number. `timeout_ms` is the call's own limit, 0 without.
    """

    id: str
    function: str
    version: str
    attempt: int
    token: int
    worker: str
    created_at_ms: int
    arguments: bytes
    request: bytes
    traceparent: str
    tracestate: str = ""
    timeout_ms: int = 0


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a claim: attempts, ms until the next is due, and functions with more work.

    `expired` are those that waited longer than their max_age. A paused queue gives nothing,
    whatever waits in it. `unreadable` are leased to this worker, which cannot run them: their ids,
    their functions and why.
    """

    next_due_ms: int | None
    remaining_lanes: int
    is_paused: bool = False
    expired: tuple[str, ...]
    items: tuple[Claimed, ...]
    unreadable: tuple[tuple[str, str, str], ...] = ()


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How one attempt ended, to be stored. `status` as in the record, or "lost"."""

    id: str
    token: int
    status: str
    ttl_ms: int
    retry_after_ms: int = 0
    result_type: str = "json"
    media_type: str = ""
    result: bytes = b""
    error: bytes = b""
    logs: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatReply:
    """The reply to a heartbeat.

    Attributes:
        publishes: Whether this worker is the one that publishes functions.
        queues: All queues that exist.
        lost: Held attempts whose lease is no longer this worker's.
        cancelling: Held attempts, with their tokens, that their callers have cancelled.
    """

    publishes: bool
    queues: tuple[str, ...]
    lost: tuple[str, ...]
    cancelling: tuple[tuple[str, int], ...]


def claim(
    *,
    queue: str,
    worker: str,
    limit: int,
    lease_ms: int,
    ahead: int = 0,
    rooms: Mapping[str, int] | None = None,
) -> Command[Claim]:
    """Take up to `limit` waiting invocations of a queue.

    Then take up to `ahead` more (prefetch), of each function only as many as `rooms` allows; all
    other functions keep their turn.
    """
    limit = min(limit, MOST_CLAIMED)
    ahead = min(ahead, MOST_CLAIMED - limit)
    listed = " ".join(f"{name} {count}" for name, count in (rooms or {}).items())
    words = (queue, worker, limit, lease_ms, ahead, listed, FAILURE_TTL_MS)
    return call_script("claim_invocations", words, lambda reply: _read_claim(reply, worker))


def wake(queue: str) -> Command[bool]:
    """Leave a wake-up token for a blocked worker, unless there is one already."""
    return call_script("wake_worker", (queue,), lambda reply: reply == b"OK")


def settle(settlements: Iterable[Settlement], *, worker: str) -> Command[list[Settled]]:
    """Store how attempts of a worker ended; STALE: a late result was refused."""
    entries: list[Argument] = []
    for s in settlements:
        entries += (s.id, s.token, s.status, s.ttl_ms, s.retry_after_ms, s.result_type)
        entries += (s.media_type, s.result, s.error, s.logs)
    return call_script(
        "settle_invocations",
        (worker, POISON_LIMIT, FAILURE_TTL_MS, *entries),
        lambda reply: [word.decode() for word in reply],
    )


def release(held: Iterable[tuple[str, int, bool]], *, worker: str) -> Command[int]:
    """Release attempts, as (id, token, whether begun), that this worker will not finish."""
    words = [part for i, token, begun in held for part in (i, token, 1 if begun else 0)]
    return call_script("release_invocations", (worker, FAILURE_TTL_MS, *words), int)


def heartbeat(
    *,
    worker: str,
    lease_ms: int,
    worker_ttl_ms: int,
    may_publish: int,
    details: bytes,
    held: Iterable[tuple[str, int]],
) -> Command[HeartbeatReply]:
    """Report that a worker is alive; extend the leases of what it holds, as (id, token).

    `may_publish`: 0 never, 1 while no other worker does, 2 its folder is the one to publish.
    """
    return call_script(
        "heartbeat",
        (
            *(worker, lease_ms, worker_ttl_ms, GRACE_MS),
            *(may_publish, details),
            *(part for pair in held for part in pair),
        ),
        lambda reply: HeartbeatReply(
            publishes=reply[0] == 1,
            queues=tuple(name.decode() for name in reply[1]),
            lost=tuple(name.decode() for name in reply[2]),
            cancelling=tuple((name.decode(), int(token)) for name, token in pairs(reply[3])),
        ),
    )


def cancel(
    invocation_id: str, *, ttl_ms: int = FAILURE_TTL_MS, owner: str | None = None
) -> Command[Cancelled]:
    """Cancel: CANCELLED if it waited, CANCELLING if its worker was ordered to stop it.

    With `owner`, an invocation of another caller is MISSING.
    """
    words = (invocation_id, ttl_ms, owner or "")
    return call_script("cancel_invocation", words, lambda reply: reply.decode())


def retire_worker(worker: str) -> Command[bool]:
    """Remove a stopped worker from the list of workers."""
    return call_script("deregister_worker", (worker,), lambda reply: reply == b"OK")


def read(
    invocation_id: str, parse: Callable[[list[bytes], str, int], T], *, gateway: str = ""
) -> Command[T]:
    """Read a record; `gateway`, if given, is notified when it finishes.

    `parse` gets the record as HGETALL returns it (empty: no such id), the status of its callback's
    delivery ("" without one) and the delivery's number of attempts.
    """
    return call_script(
        "read_invocation",
        (invocation_id, gateway),
        lambda reply: parse(reply[0], reply[1].decode(), int(reply[2])),
    )


def read_outputs(invocation_id: str, keys: Keys) -> Command[Sequence[bytes]]:
    """Read what attempts except the last printed: each its number, a line feed, its text."""
    return Command(("LRANGE", keys.build("outputs", invocation_id), 0, -1), list)


class _Notices:
    """One parser for all notices of a process; a broken notice replaces it by a new one."""

    reader = hiredis.Reader()


def parse_notice(payload: bytes) -> tuple[str, list[bytes]]:
    """Parse what a gateway's inbox gets when an invocation finishes: an id and the record.

    The payload is the id, a line feed, and the record's fields as a RESP array
    (https://redis.io/docs/latest/develop/reference/protocol-spec/).

    Raises:
        StoreError: The payload is malformed.
    """
    invocation_id, _, rest = payload.partition(b"\n")
    reader = _Notices.reader
    reader.feed(rest)
    try:
        flat = reader.gets()
    except hiredis.ProtocolError:
        flat = False
    if not isinstance(flat, list) or reader.has_data():
        _Notices.reader = hiredis.Reader()
        raise StoreError(f"a broken notice for {invocation_id!r}")
    return invocation_id.decode(), flat


def _read_claim(reply: list[Any], worker: str) -> Claim:
    items: list[Claimed] = []
    unreadable: list[tuple[str, str, str]] = []
    for entry in reply[3:]:
        try:
            items.append(_read_claimed(entry, worker))
        except (ValueError, TypeError, AttributeError) as error:
            name, function = (text.decode("utf-8", "replace") for text in entry[:2])
            unreadable.append((name, function, f"its record cannot be read: {error}"))
    return Claim(
        next_due_ms=None if reply[0] < 0 else reply[0],
        remaining_lanes=max(0, reply[1]),
        is_paused=reply[1] < 0,
        expired=tuple(name.decode() for name in reply[2]),
        items=tuple(items),
        unreadable=tuple(unreadable),
    )


def _read_claimed(entry: list[Any], worker: str) -> Claimed:
    return Claimed(
        id=entry[0].decode(),
        function=entry[1].decode(),
        version=entry[2].decode(),
        attempt=entry[3],
        token=entry[4],
        worker=worker,
        created_at_ms=int(entry[5]),
        arguments=entry[6],
        request=entry[7],
        traceparent=entry[8].decode(),
        tracestate=entry[9].decode(),
        timeout_ms=int(entry[10]) if len(entry) > 10 else 0,  # noqa: PLR2004
    )
