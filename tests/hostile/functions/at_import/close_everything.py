"""Close every descriptor, while the file is loaded."""

from __future__ import annotations

import os

os.closerange(0, 4096)


def close_everything() -> str:
    """Return that it could be called."""
    return "called"
