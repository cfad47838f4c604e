"""Taking away what is past its retention, and mending the indexes, as typed calls."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command, load_script

SLICE = 200
TURN_MS = 5
MENDED_AT_ONCE = 250
MENDED_EVERY_MS = 3_600_000
_SCANNED_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedSlice:
    """What a slice brought.

    Attributes:
        count: How many invocations went.
        is_others_turn: Another slice began just now; nothing was looked at.
        next_due_ms: When the next one is due, None when none is kept.
    """

    count: int
    is_others_turn: bool
    next_due_ms: int | None


def sweep(*, most: int = SLICE, turn_ms: int = TURN_MS) -> Command[DeletedSlice]:
    """Take away up to `most` invocations whose retention is over."""

    def parse(reply: list[int]) -> DeletedSlice:
        count, next_due_ms = reply
        return DeletedSlice(
            count=max(0, count),
            is_others_turn=count < 0,
            next_due_ms=None if next_due_ms < 0 else next_due_ms,
        )

    return Command((most, turn_ms), parse, load_script("delete_expired"))


def begin_mending(keys: Keys, worker: str) -> Command[bool]:
    """Whether this worker is the one that looks through all indexes now; one does in an hour."""
    words = ("SET", keys.build("mending"), worker, "NX", "PX", MENDED_EVERY_MS)
    return Command(words, lambda reply: reply is not None)


def find_indexes(keys: Keys, cursor: str) -> Command[tuple[str, list[str]]]:
    """Read some names of indexes, and the cursor of the next ones; "0" is first and last.

    A scan of all keys, some at a time: not for what anybody waits for.
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
    """Drop ids without a record; returns the id to go on after ("" at the end), how many went."""
    return Command(
        (index, after, most),
        lambda reply: (reply[0].decode(), int(reply[1])),
        load_script("mend_index"),
    )
