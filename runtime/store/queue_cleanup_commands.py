"""Typed commands that tidy the list of queues and the turns of lanes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Argument, Command, call_script

MOST_ADOPTING = 200


def adopt_lanes(queue: str, functions: Sequence[str]) -> Command[int]:
    """Convert the turns of lanes that release 0.1 keeps; repeat until it returns 0.

    `functions` are at most `MOST_ADOPTING`.
    """
    return call_script("adopt_lanes", (queue, *functions), int)


def read_ever_queued(store_keys: Keys) -> tuple[Command[list[str]], Command[list[str]]]:
    """Read the names of all queues, and of all functions that have ever waited."""
    return (
        Command(("SMEMBERS", store_keys.build("queues")), _names),
        Command(("HKEYS", store_keys.build("waiting")), _names),
    )


def forget_queues(named: Iterable[str], *, functions: int) -> Command[list[str]]:
    """Remove the empty queues that are not `named` by the `functions` published ones.

    Returns the names of those that were removed.
    """
    words: tuple[Argument, ...] = (functions, *sorted(named))
    return call_script("forget_queues", words, _names)


def _names(reply: list[bytes]) -> list[str]:
    return [name.decode() for name in reply]
