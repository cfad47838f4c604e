"""Yield without end, slowly."""

from __future__ import annotations

import time
from collections.abc import Iterator

from penstock import function


@function(timeout="1s")
def yield_slowly() -> Iterator[int]:
    """Yield ten times a second."""
    number = 0
    while True:
        yield number
        number += 1
        time.sleep(0.1)
