"""Looking back at invocations and batches, a page at a time, as typed calls.

A record is as HGETALL gives it, long values left out (lua/include/brief.lua);
`runtime.invocations` gives it meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from runtime.store.keys import Keys
from runtime.store.scripts import Call, load_script

RawRecord = tuple[str, list[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Records as (id, HGETALL), and where the next page begins: parts of a cursor, or None."""

    records: tuple[RawRecord, ...]
    next: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBatch:
    """A batch as HGETALL, where its callback stands, and a page of its members."""

    fields: list[bytes]
    delivery_status: str
    delivery_attempts: int
    records: tuple[RawRecord, ...]


def list_history(
    *, function: str, status: str, tag: str, after: str, most: int, since: str = ""
) -> Call[Page]:
    """A page of all, or of those that ended with `status`; newest first, "" is any.

    No id is less than `since`. A page may be short, even empty, and still have a next one:
    at most 1,000 are looked at.
    """
    if status:
        index = f"end:{function}:{status}" if function else f"end:{status}"
    elif tag:
        index = f"tag:{tag}"
    else:
        index = f"fn:{function}" if function else "all"
    words = (index, after, most, function, status, _quoted(tag), since)
    return Call(words, _read_history, load_script("list_invocations"))


def list_live(
    *,
    function: str,
    status: str,
    tag: str,
    after: tuple[str, str],
    most: int,
    since: str = "",
    before: str = "",
) -> Call[Page]:
    """A page of those that are queued, running, scheduled or retrying now, latest first.

    Ids are not less than `since` and less than `before`; "" is any.
    """
    words = (status, function, _quoted(tag), *after, most, since, before)
    return Call(words, _read_live, load_script("list_live"))


def read_batch(batch: str, *, start: int = 0, most: int = 0) -> Call[RawBatch | None]:
    """Read a batch and `most` of its members from index `start` on; None when unknown."""
    return Call((batch, start, most), _read_batch, load_script("read_batch"))


def read_member_ids(
    batch: str, *, start: int, most: int, keys: Keys | None = None
) -> Call[list[str]]:
    """Read the ids of `most` members of a batch from index `start` on."""
    items = (keys or Keys()).build("batch_items", batch)
    words = ("LRANGE", items, start, start + most - 1)
    return Call(words, lambda reply: [member.decode() for member in reply])


def _quoted(tag: str) -> bytes:
    return msgspec.json.encode(tag) if tag else b""


def _read_records(entries: list[Any]) -> tuple[RawRecord, ...]:
    return tuple((entry[0].decode(), entry[1]) for entry in entries)


def _read_history(reply: list[Any]) -> Page:
    following = reply[0].decode()
    return Page(records=_read_records(reply[1:]), next=(following,) if following else None)


def _read_live(reply: list[Any]) -> Page:
    at, following = reply[0].decode(), reply[1].decode()
    return Page(records=_read_records(reply[2:]), next=(at, following) if following else None)


def _read_batch(reply: list[Any]) -> RawBatch | None:
    if not reply[0]:
        return None
    return RawBatch(
        fields=reply[0],
        delivery_status=reply[1].decode(),
        delivery_attempts=int(reply[2]),
        records=_read_records(reply[3:]),
    )
