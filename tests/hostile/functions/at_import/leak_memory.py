"""Take 1 GiB and keep it, while the file is loaded."""

from __future__ import annotations

kept = [bytes(2**20) for _ in range(1024)]


def leak_memory() -> str:
    """Return that it could be called."""
    return "called"
