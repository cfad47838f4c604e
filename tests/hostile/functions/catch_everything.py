"""Refuse to be stopped."""

from __future__ import annotations

import time

from penstock import function


@function(timeout="1s")
def catch_everything() -> None:
    """Swallow whatever is raised, for ever."""
    while True:
        try:
            time.sleep(3600)
        except BaseException:  # noqa: BLE001 - that is the point
            continue
