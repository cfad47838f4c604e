"""The locks of all blocks, in Redis."""

from __future__ import annotations

import threading

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.lock_commands import keep_lock, read_lock


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

    def keep(self, digest: str, lock: bytes) -> None:
        """Keep a lock, unless one is kept already; raises StoreError."""
        with self._using:
            self._connection.run(keep_lock(digest, lock, self._connection.keys))
