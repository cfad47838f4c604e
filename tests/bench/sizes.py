"""How large a system is while a work is done: the same for all, each in its own words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large a system is.

    Attributes:
        workers: How many worker processes.
        slots: How many calls a peer's worker process runs at once. Penstock has its default of
            eight runners in all sizes, and what a function's `per_process` says.
        asks_every_ms: How often a peer that must ask for a result asks. Every 5 ms costs least
            where results come soon; a thousand callers who ask so often keep nobody else waiting.
    """

    workers: int = 2
    slots: int = 8
    asks_every_ms: int = 5


USUAL = Sizes()
RUNNERS = 8  # Penstock's default, in each worker process
