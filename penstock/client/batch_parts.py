"""Cutting many calls into batches that a gateway accepts. Used by the client and by `batch`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

MOST_ROWS = 10_000
MOST_BYTES = 15 * 1_048_576  # slightly below the gateway's default limit for a batch


def cut_parts(
    rows: Iterable[T],
    *,
    size_of: Callable[[T], int],
    most: int = MOST_ROWS,
    most_bytes: int = MOST_BYTES,
) -> Iterator[list[T]]:
    """Yield the rows in lists that fit into one batch each; `size_of` counts a row's bytes."""
    part: list[T] = []
    size = 0
    for row in rows:
        row_bytes = size_of(row) + 1  # with the end of its line
        if part and (len(part) == most or size + row_bytes > most_bytes):
            yield part
            part, size = [], 0
        part.append(row)
        size += row_bytes
    if part:
        yield part


def key_of_part(key: str, number: int) -> str:
    """Return the idempotency key of a part, from the key of all and the part's number from 1.

    Later parts have a digest: a key with an appendix may be too long, or end behind its quotes.
    """
    return key if number == 1 else hashlib.sha256(f"{key}.{number}".encode()).hexdigest()
