"""Typed commands for invocations whose lease expired, that waited too long, or are damaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from runtime.store.invocation_commands import FAILURE_TTL_MS, GRACE_MS, POISON_LIMIT
from runtime.store.scripts import Command, call_script, pairs

UNHEARD_LIMIT = 10
MOST_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The result of one recovery.

    Attributes:
        taken_over: The invocations whose attempts were taken from workers that let their leases
            expire, as (id, new status).
        expired: The ids of invocations that waited longer than their max_age.
        has_more: Whether to call again at once.
        is_miscounted: Whether a record is lost that alone named the queue it ran in.
        unjoined: Batches whose members have yet to join the queue and whose gateway is gone.
    """

    taken_over: tuple[tuple[str, str], ...]
    expired: tuple[str, ...]
    has_more: bool
    is_miscounted: bool
    unjoined: tuple[str, ...] = ()


class QuarantineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An invocation in quarantine: where it was, as far as known, and why."""

    id: str
    at_ms: int
    queue: str = ""
    function: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """How many invocations are in quarantine, and the latest of them."""

    count: int
    latest: tuple[QuarantineEntry, ...]


def recover(*, lease_ms: int) -> Command[Recovery]:
    """Take over attempts whose leases have expired, and expire what has waited too long."""

    def parse(reply: list[Any]) -> Recovery:
        taken, expired, has_more, is_miscounted, unjoined = reply
        return Recovery(
            taken_over=tuple((name.decode(), status.decode()) for name, status in pairs(taken)),
            expired=tuple(name.decode() for name in expired),
            has_more=has_more == 1,
            is_miscounted=is_miscounted == 1,
            unjoined=tuple(batch.decode() for batch in unjoined),
        )

    words = (lease_ms, POISON_LIMIT, UNHEARD_LIMIT, FAILURE_TTL_MS, GRACE_MS)
    return call_script("recover_invocations", words, parse)


def recount_running() -> Command[int]:
    """Count again what runs in every queue; return the total, -1 if there are too many."""
    return call_script("recount_running", (), int)


def set_aside(
    invocation_id: str, *, queue: str, function: str, worker: str, reason: str
) -> Command[bool]:
    """Quarantine an invocation that cannot be read; False if another worker has it by now."""
    words = (invocation_id, queue, function, worker, reason)
    return call_script("quarantine_invocation", words, lambda reply: reply == b"OK")


def read_quarantine(*, most: int = MOST_LISTED) -> Command[Quarantine]:
    """Read how many invocations are in quarantine, and up to `most` of the latest."""

    def parse(reply: list[Any]) -> Quarantine:
        latest = (_read_broken(*entry) for entry in reply[1:])
        return Quarantine(count=reply[0], latest=tuple(latest))

    return call_script("read_quarantine", (min(most, MOST_LISTED),), parse)


def _read_broken(name: bytes, at_ms: bytes, about: bytes) -> QuarantineEntry:
    try:
        reported = msgspec.json.decode(about, type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        reported = {}
    known = {word: reported.get(word, "") for word in ("queue", "function", "reason")}
    return QuarantineEntry(id=name.decode("utf-8", "replace"), at_ms=int(float(at_ms)), **known)
