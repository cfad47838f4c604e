"""The locks of all blocks, in Redis."""

from __future__ import annotations

import threading

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.lock_commands import keep_lock, read_lock, replace_lock


class RedisLockStore:
    """A `LockStore` that all publishers of a system share; safe from any thread.

    Args:
        connection: A connection of its own.
    """

    def __init__(self, connection: BlockingConnection) -> None:
        self._connection = connection
        self._using = threading.Lock()

    def read(self, digest: str) -> bytes | None:
        """Return what is kept for a block; raises StoreError."""
        with self._using:
            return self._connection.run(read_lock(digest, self._connection.keys))

    def keep(self, digest: str, lock: bytes, *, wins: bool) -> bytes:
        """Keep a lock; return what is kept, another publisher's perhaps. Raises StoreError."""
        keys = self._connection.keys
        with self._using:
            if wins:
                self._connection.run(replace_lock(digest, lock, keys))
            elif not self._connection.run(keep_lock(digest, lock, keys)):
                return self._connection.run(read_lock(digest, keys)) or lock
            return lock
