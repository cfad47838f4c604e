"""Typed commands that list invocations and batches, a page at a time.

A record is as HGETALL returns it, without long values (lua/include/record_summary.lua);
`runtime.invocations` interprets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command, call_script

RawRecord = tuple[str, list[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Records as (id, HGETALL), and the id after which the next page begins, or None."""

    records: tuple[RawRecord, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBatch:
    """A batch as HGETALL, the state of its callback, and a page of its members."""

    fields: list[bytes]
    delivery_status: str
    delivery_attempts: int
    records: tuple[RawRecord, ...]


def list_page(
    *,
    function: str = "",
    statuses: Iterable[str] = (),
    tag: str = "",
    after: str = "",
    most: int,
    since: str = "",
) -> Command[Page]:
    """Read a page of invocations with one of `statuses`, newest first; empty means any.

    Ids are less than `after` and not less than `since`. A page may be short, even empty, and
    still have a next one: at most 1,000 ids are looked at.
    """
    quoted = msgspec.json.encode(tag) if tag else b""
    words = (function, " ".join(statuses), tag, quoted, after, most, since)
    return call_script("list_invocations", words, _read_page)


def read_batch(batch: str, *, start: int = 0, most: int = 0) -> Command[RawBatch | None]:
    """Read a batch and `most` of its members from index `start` on; None if it is unknown."""
    return call_script("read_batch", (batch, start, most), _read_batch)


def read_member_ids(
    batch: str, *, start: int, most: int, keys: Keys | None = None
) -> Command[list[str]]:
    """Read the ids of `most` members of a batch from index `start` on."""
    items = (keys or Keys()).build("batch_items", batch)
    words = ("LRANGE", items, start, start + most - 1)
    return Command(words, lambda reply: [member.decode() for member in reply])


def _read_records(entries: list[Any]) -> tuple[RawRecord, ...]:
    return tuple((entry[0].decode(), entry[1]) for entry in entries)


def _read_page(reply: list[Any]) -> Page:
    return Page(records=_read_records(reply[1:]), next=reply[0].decode() or None)


def _read_batch(reply: list[Any]) -> RawBatch | None:
    if not reply[0]:
        return None
    return RawBatch(
        fields=reply[0],
        delivery_status=reply[1].decode(),
        delivery_attempts=int(reply[2]),
        records=_read_records(reply[3:]),
    )
