"""The options of the embedded Redis.

A private Unix socket and no port; nothing is ever evicted; an append-only file synced
every second, so that a crash of Redis loses nothing it acknowledged, and a power cut
at most a second. Used by the supervisor.
"""

from __future__ import annotations

from pathlib import Path

# A record whose longest value fits lies in one piece: a third less memory at the same speed, for
# arguments and results longer than Redis's 64. The name is one that 6.2, 7 and Valkey know.
COMPACT_BYTES = 512


def redis_command(server: str, data: Path, socket_path: Path) -> list[str]:
    """Return the command line of a Redis that keeps its data in `data`/redis."""
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(data / "redis"),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "hash-max-ziplist-value": str(COMPACT_BYTES),
        "daemonize": "no",
        "loglevel": "notice",
    }
    return [server, *(word for name, value in options.items() for word in (f"--{name}", value))]
