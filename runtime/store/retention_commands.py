"""Typed commands that delete records past their retention, and mend the indexes."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command, call_script

SLICE = 200
TURN_MS = 5
MENDED_AT_ONCE = 250
MENDED_EVERY_MS = 3_600_000
_SCANNED_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedSlice:
    """The result of one slice.

    Attributes:
        count: How many invocations were deleted.
        is_others_turn: Another slice has just begun, so nothing was looked at.
        next_due_ms: How long until the next one is due; None if no finished one is kept.
    """

    count: int
    is_others_turn: bool
    next_due_ms: int | None


def sweep(*, most: int = SLICE, turn_ms: int = TURN_MS) -> Command[DeletedSlice]:
    """Delete up to `most` invocations whose retention is over."""

    def parse(reply: list[int]) -> DeletedSlice:
        count, next_due_ms = reply
        return DeletedSlice(
            count=max(0, count),
            is_others_turn=count < 0,
            next_due_ms=None if next_due_ms < 0 else next_due_ms,
        )

    return call_script("delete_expired", (most, turn_ms), parse)


def begin_mending(keys: Keys, worker: str) -> Command[bool]:
    """Ask to mend all indexes; True for one worker in an hour."""
    words = ("SET", keys.build("mending"), worker, "NX", "PX", MENDED_EVERY_MS)
    return Command(words, lambda reply: reply is not None)


def find_indexes(keys: Keys, cursor: str) -> Command[tuple[str, list[str]]]:
    """Read some names of indexes and the next cursor; cursor "0" begins and ends the scan.

    It scans all keys, some at a time: do not use it where a caller waits.
    """
    prefix = keys.build("index", "")
    words = ("SCAN", cursor, "MATCH", f"{prefix}*", "COUNT", _SCANNED_AT_ONCE, "TYPE", "zset")
    return Command(
        words,
        lambda reply: (
            reply[0].decode(),
            [name.decode().removeprefix(prefix) for name in reply[1]],
        ),
    )


def mend_index(
    index: str, *, after: str = "", most: int = MENDED_AT_ONCE
) -> Command[tuple[str, int]]:
    """Drop ids without a record; return the id to go on after ("" at the end) and how many."""
    return call_script(
        "mend_index", (index, after, most), lambda reply: (reply[0].decode(), int(reply[1]))
    )
