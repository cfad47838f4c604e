"""Typed commands for locks: what was resolved for a block, by the block's digest.

A lock does not move by itself: what a block was resolved to stays, also after restarts, until
somebody asks for a new one.
"""

from __future__ import annotations

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command


def read_lock(digest: str, keys: Keys | None = None) -> Command[bytes | None]:
    """Read the lock of a block; None if it has not been resolved."""
    return Command(("HGET", (keys or Keys()).build("locks"), digest), lambda reply: reply)


def keep_lock(digest: str, lock: bytes, keys: Keys | None = None) -> Command[bool]:
    """Store a lock; False if the block has one already, which stays."""
    return Command(("HSETNX", (keys or Keys()).build("locks"), digest, lock), bool)


def replace_lock(digest: str, lock: bytes, keys: Keys | None = None) -> Command[None]:
    """Store a lock in place of the one before: the block was resolved anew."""
    words = ("HSET", (keys or Keys()).build("locks"), digest, lock)
    return Command(words, lambda _: None)
