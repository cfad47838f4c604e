"""Typed commands that tidy the list of queues and the turns of lanes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runtime.store.scripts import Argument, Command, call_script

MOST_ADOPTING = 200


def adopt_lanes(queue: str, functions: Sequence[str]) -> Command[int]:
    """Convert the turns of lanes that release 0.1 keeps; repeat until it returns 0.

    `functions` are at most `MOST_ADOPTING`.
    """
    return call_script("adopt_lanes", (queue, *functions), int)


def forget_queues(named: Iterable[str], *, functions: int) -> Command[list[str]]:
    """Remove the empty queues that are not `named` by the `functions` published ones.

    Returns the names of those that were removed.
    """
    words: tuple[Argument, ...] = (functions, *sorted(named))
    return call_script("forget_queues", words, lambda reply: [name.decode() for name in reply])
