"""What a gateway reads about functions: manifests and counts of outcomes."""

from __future__ import annotations

from typing import Any

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command
from runtime.store.statistics_commands import count_of


def read_manifests(keys: Keys | None = None) -> Command[dict[str, bytes]]:
    """Read every manifest, encoded, by function."""
    return Command(("HGETALL", (keys or Keys()).build("functions")), _read_manifests)


def read_manifest(name: str, keys: Keys | None = None) -> Command[bytes | None]:
    """Read one function's manifest, encoded, or None when there is no such function."""
    return Command(("HGET", (keys or Keys()).build("functions"), name), lambda reply: reply)


def read_stats(keys: Keys | None = None) -> Command[dict[str, dict[str, int]]]:
    """Read how often each function ended how: by function, then by outcome."""
    return Command(("HGETALL", (keys or Keys()).build("stats")), _read_stats)


def read_waiting(keys: Keys | None = None) -> Command[dict[str, int]]:
    """Read how many calls of each function wait for their turn."""

    def parse(flat: list[bytes]) -> dict[str, int]:
        parts = iter(flat)
        return {name.decode(): count_of(n) for name, n in zip(parts, parts, strict=True)}

    return Command(("HGETALL", (keys or Keys()).build("waiting")), parse)


def _read_manifests(flat: list[bytes]) -> dict[str, bytes]:
    parts = iter(flat)
    return {name.decode(): data for name, data in zip(parts, parts, strict=True)}


def _read_stats(flat: list[Any]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    parts = iter(flat)
    for field, count in zip(parts, parts, strict=True):
        function, _, outcome = field.decode().rpartition(":")
        if function:
            counts.setdefault(function, {})[outcome] = count_of(count)
    return counts
