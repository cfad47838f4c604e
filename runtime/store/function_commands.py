"""Typed commands for functions: publish, unpublish, and read manifests, sources and counts.

Workers publish functions and read sources; gateways read manifests and counts. A version's source
is kept while the version serves and one day longer: attempts that started on it may need it.
"""

from __future__ import annotations

from typing import Any

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command, call_script, pairs
from runtime.store.statistics_commands import count_of, read_counts

SUPERSEDED_TTL_MS = 24 * 60 * 60 * 1000


def publish_function(
    name: str,
    *,
    manifest: bytes,
    version: str,
    source: bytes,
    queue: str = "default",
    limits: str = "",
    schedule: tuple[str, str] = ("", ""),
    superseded_ttl_ms: int = SUPERSEDED_TTL_MS,
) -> Command[bool]:
    """Make a version serve; True if that changed anything.

    `limits` is "concurrency count per_ms" with 0 for none, "" without any; `schedule` is the cron
    line and time zone of the function's own schedule, empty without one.
    """
    words = (
        *(name, manifest, version, source, superseded_ttl_ms, queue, limits),
        *schedule,
    )
    return call_script("publish_function", words, _changed)


def set_load_error(name: str, *, manifest: bytes) -> Command[bool]:
    """Replace a manifest without changing what serves: a load error appeared or was fixed."""
    return call_script("set_load_error", (name, manifest), _changed)


def unpublish_function(name: str, *, superseded_ttl_ms: int = SUPERSEDED_TTL_MS) -> Command[bool]:
    """Unpublish a function; True if it was published."""
    return call_script("unpublish_function", (name, superseded_ttl_ms), _changed)


def read_versions(keys: Keys | None = None) -> Command[dict[str, str]]:
    """Read which version of each function serves."""
    words = ("HGETALL", (keys or Keys()).build("versions"))
    return Command(words, lambda flat: {n.decode(): data.decode() for n, data in pairs(flat)})


def read_published_at(keys: Keys | None = None) -> Command[dict[str, int]]:
    """Read since when the version of each function serves, in ms since the epoch."""
    words = ("HGETALL", (keys or Keys()).build("published"))
    return Command(words, read_counts)


def read_publication(keys: Keys | None = None) -> Command[bytes | None]:
    """Read which files are published, as the last publisher stored it."""
    return Command(("GET", (keys or Keys()).build("publication")), lambda reply: reply)


def write_publication(data: bytes, keys: Keys | None = None) -> Command[None]:
    """Store which files are published."""
    words = ("SET", (keys or Keys()).build("publication"), data)
    return Command(words, lambda _: None)


def read_source(version: str, keys: Keys | None = None) -> Command[bytes | None]:
    """Read a version's source as published; None if it is gone."""
    return Command(("GET", (keys or Keys()).build("source", version)), lambda reply: reply)


def read_manifests(keys: Keys | None = None) -> Command[dict[str, bytes]]:
    """Read every manifest, encoded, by function."""
    words = ("HGETALL", (keys or Keys()).build("functions"))
    return Command(words, lambda flat: {name.decode(): data for name, data in pairs(flat)})


def read_manifest(name: str, keys: Keys | None = None) -> Command[bytes | None]:
    """Read one function's manifest, encoded; None if there is no such function."""
    return Command(("HGET", (keys or Keys()).build("functions"), name), lambda reply: reply)


def read_stats(keys: Keys | None = None) -> Command[dict[str, dict[str, int]]]:
    """Read the outcome counts of every function: by function, then by outcome."""
    return Command(("HGETALL", (keys or Keys()).build("stats")), _read_stats)


def read_waiting(keys: Keys | None = None) -> Command[dict[str, int]]:
    """Read how many calls of each function wait."""
    return Command(("HGETALL", (keys or Keys()).build("waiting")), read_counts)


def _changed(reply: Any) -> bool:  # noqa: ANN401 - a reply is any RESP value
    return bytes(reply) == b"CHANGED"


def _read_stats(flat: list[Any]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for field, count in pairs(flat):
        function, _, outcome = field.decode().rpartition(":")
        if function:
            counts.setdefault(function, {})[outcome] = count_of(count)
    return counts
