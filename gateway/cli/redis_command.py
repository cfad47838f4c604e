"""The options of the embedded Redis.

A private Unix socket and no port; nothing is ever evicted; an append-only file synced
every second, so that a crash of Redis loses nothing it acknowledged, and a power cut
at most a second. Used by the supervisor.
"""

from __future__ import annotations

from pathlib import Path


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
        "daemonize": "no",
        "loglevel": "notice",
    }
    return [server, *(word for name, value in options.items() for word in (f"--{name}", value))]
