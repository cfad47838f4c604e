"""Take 1 GiB and keep it."""

from __future__ import annotations

kept: list[bytes] = []


def leak_memory() -> int:
    """Keep 1 GiB, for the next attempt in this process, too."""
    kept.extend(bytes([number % 255 + 1]) * 2**20 for number in range(1024))
    return len(kept)
