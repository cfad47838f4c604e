"""What must be empty when nothing is left to do: read from Redis itself, by the table of keys.

Wherever work waits or is held there is a key; counters of it must be back at zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.faults.redis_part import RedisPart

# Places in which work waits or is held; a key of these exists only while there is some.
PLACES = (
    *("ring", "keys", "held", "lane", "due", "leases", "running", "expiring"),
    *("deliveries_due", "delivery_leases", "origins", "origin", "origin_ring", "receiver_lane"),
)
_PATTERNS = {
    name: re.compile(re.sub(r"<\w+>", ".+", re.escape(RedisPart.keys.build(name, *["<x>"] * 3))))
    for name in PLACES
}


def left_over(redis: RedisPart) -> list[str]:
    """Return every place that is not empty and every counter that is not zero."""
    return sorted({*_filled_places(redis), *_open_counters(redis)})


def is_idle(redis: RedisPart) -> bool:
    """Whether nothing waits and nothing runs: the quick look, for asking often."""
    counts = _hash(redis, redis.key("waiting"))
    busy = any(counts.values()) or redis.command("EXISTS", redis.key("leases"))
    return not busy and not any(
        redis.command("EXISTS", redis.key("due", queue)) for queue in _queues(redis)
    )


def _filled_places(redis: RedisPart) -> Iterator[str]:
    for key in _all_keys(redis):
        for pattern in _PATTERNS.values():
            if pattern.fullmatch(key):
                yield key


def _open_counters(redis: RedisPart) -> Iterator[str]:
    for name, count in _hash(redis, redis.key("waiting")).items():
        if count:
            yield f"waiting of {name}: {count}"
    for queue in _queues(redis):
        for name, count in _hash(redis, redis.key("queue", queue)).items():
            if name in {"waiting", "running"} and count:
                yield f"{name} in queue {queue}: {count}"
    for key in _all_keys(redis):
        if key.startswith(redis.key("receiver", "")) and not key.endswith(":lane"):
            count = int(redis.command("HGET", key, "in_flight") or 0)
            if count:
                yield f"in flight to {key}: {count}"


def _all_keys(redis: RedisPart) -> set[str]:
    found: set[str] = set()
    cursor = b"0"
    while True:
        cursor, keys = redis.command("SCAN", cursor, "COUNT", 5000)
        found |= {key.decode() for key in keys}
        if cursor == b"0":
            return found


def _queues(redis: RedisPart) -> list[str]:
    return [name.decode() for name in redis.command("SMEMBERS", redis.key("queues"))]


def _hash(redis: RedisPart, key: str) -> dict[str, int]:
    words = redis.command("HGETALL", key)
    pairs = zip(words[::2], words[1::2], strict=True)
    return {name.decode(): int(value) for name, value in pairs if value.lstrip(b"-").isdigit()}
