"""Close descriptors 0 to 2."""

from __future__ import annotations

import os


def close_standard() -> None:
    """Close what everybody writes to."""
    os.closerange(0, 3)
