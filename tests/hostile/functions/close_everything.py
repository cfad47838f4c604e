"""Close every descriptor."""

from __future__ import annotations

import os


def close_everything() -> None:
    """Close the way to the worker, too."""
    os.closerange(0, 4096)
