"""How many bytes of request bodies one process holds, over all its connections."""

from __future__ import annotations


class BodyMemory:
    """Counts what has come and is not answered yet; a body beyond the total is refused."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0

    def take(self, size: int) -> bool:
        """Hold more, if there is room."""
        if self.held_bytes + size > self.most_bytes:
            return False
        self.held_bytes += size
        return True

    def release(self, size: int) -> None:
        """Hold less."""
        self.held_bytes -= size
