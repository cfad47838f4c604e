"""Never come back."""

from __future__ import annotations

import time

from penstock import function


@function(timeout="1s")
def hang() -> None:
    """Sleep for an hour."""
    time.sleep(3600)
