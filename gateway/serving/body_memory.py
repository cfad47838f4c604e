"""How many bytes of request bodies one process holds, over all its connections.

The limit protects the memory of the process: a body beyond it is refused with 503.
"""

from __future__ import annotations


class BodyMemory:
    """Counts the body bytes of requests that are not answered yet, up to `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0

    def take(self, size: int) -> bool:
        """Add `size` bytes and return True; if that exceeds the limit, add nothing: False."""
        if self.held_bytes + size > self.most_bytes:
            return False
        self.held_bytes += size
        return True

    def release(self, size: int) -> None:
        """Subtract `size` bytes."""
        self.held_bytes -= size
