"""All there is in Redis, to be compared."""

from __future__ import annotations

from tests.support.life import Life

# What differs from run to run: moments, and what is made of them.
MOMENTS = frozenset({b"created_at", b"expires_at", b"scheduled_for"})


def contents(life: Life) -> dict[str, object]:
    """Return every key with what it holds, without the moments, and whether it lasts."""
    found: dict[str, object] = {}
    for key in sorted(life.command("KEYS", "*")):
        kind, name = life.command("TYPE", key), key.decode()
        if kind == b"hash":
            flat = life.command("HGETALL", key)
            pairs = zip(flat[::2], flat[1::2], strict=True)
            found[name] = {field: value for field, value in pairs if field not in MOMENTS}
        elif kind == b"zset":
            found[name] = sorted(life.command("ZRANGE", key, 0, -1))
        elif kind == b"list":
            found[name] = life.command("LRANGE", key, 0, -1)
        elif kind == b"set":
            found[name] = sorted(life.command("SMEMBERS", key))
        else:
            found[name] = kind
        found[f"{name} lasts"] = life.command("TTL", key) > 0
    return found
