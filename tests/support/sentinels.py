"""A Redis that fails over: a master, its replicas and the sentinels that watch them, on loopback.

Used by the tests of Sentinel addresses. Every process is ours, on free ports, in one folder.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.redis_server import redis_executable
from tests.support.waiting import eventually

SERVICE = "mymaster"
DOWN_AFTER_MS = 1000
START_LIMIT_S = 15.0
SENTINEL_CONFIGURATION = """\
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor {service} 127.0.0.1 {master} {quorum}
sentinel down-after-milliseconds {service} {down_after_ms}
sentinel failover-timeout {service} 6000
sentinel parallel-syncs {service} 2
"""


@dataclass(kw_only=True)
class WatchedRedis:
    """Servers and sentinels by port; each a process that a test may kill and start again."""

    folder: Path
    servers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    sentinels: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address as a user writes it."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}"

    def master(self) -> int:
        """Return the port of the server that the sentinels call master."""
        for port in self.sentinels:
            answer = ask(port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
            if isinstance(answer, list):
                return int(answer[1])
        raise AssertionError("no sentinel answers")

    def kill_master(self) -> int:
        """Kill the master with SIGKILL; return its port."""
        port = self.master()
        self.servers[port].kill()
        self.servers[port].wait()
        return port

    def start_server(self, port: int, *, replica_of: int | None = None) -> None:
        """Start a server, also one that was killed: what it was told since is in its folder."""
        folder = self.folder / str(port)
        folder.mkdir(exist_ok=True)
        role = () if replica_of is None else ("--replicaof", "127.0.0.1", str(replica_of))
        self.servers[port] = subprocess.Popen(
            [
                *(redis_executable(), "--port", str(port), "--bind", "127.0.0.1"),
                *("--dir", str(folder), "--save", "", "--appendonly", "yes"),
                *("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"),
                *role,
            ],
            stdout=subprocess.DEVNULL,
        )

    def replicas_in_step(self, count: int) -> bool:
        """Return whether so many replicas follow the master."""
        reported = str(ask(self.master(), "INFO", "replication"))
        return reported.count("state=online") >= count

    def stop(self) -> None:
        """End everything."""
        for process in (*self.sentinels.values(), *self.servers.values()):
            process.kill()
            process.wait()

    def start_sentinel(self, port: int, master: int, quorum: int) -> None:
        """Start a sentinel; what it learns it writes into its own configuration."""
        file = self.folder / f"sentinel-{port}.conf"
        file.write_text(
            SENTINEL_CONFIGURATION.format(
                port=port,
                folder=self.folder,
                service=SERVICE,
                master=master,
                quorum=quorum,
                down_after_ms=DOWN_AFTER_MS,
            )
        )
        self.sentinels[port] = subprocess.Popen(
            [redis_executable(), str(file), "--sentinel"], stdout=subprocess.DEVNULL
        )

    def is_whole(self, replicas: int) -> bool:
        """Return whether every sentinel knows every other and every replica, so can fail over."""
        others = len(self.sentinels) - 1
        return all(
            f"slaves={replicas},sentinels={others + 1}" in str(ask(port, "INFO", "sentinel"))
            for port in self.sentinels
        ) and self.replicas_in_step(replicas)


@contextmanager
def watched_redis(folder: Path, *, replicas: int = 2, sentinels: int = 3) -> Iterator[WatchedRedis]:
    """Start a master, replicas and sentinels; yield them once a fail-over is possible."""
    found = WatchedRedis(folder=folder)
    master, *others = free_ports(1 + replicas + sentinels)
    try:
        found.start_server(master)
        for port in others[:replicas]:
            found.start_server(port, replica_of=master)
        eventually(lambda: ask(master, "PING") == b"PONG", within_s=START_LIMIT_S)
        # Sentinels learn of replicas when they first ask the master, and then every 10 s only.
        eventually(
            lambda: str(ask(master, "INFO", "replication")).count("state=online") >= replicas,
            within_s=START_LIMIT_S,
        )
        for port in others[replicas:]:
            found.start_sentinel(port, master, quorum=sentinels // 2 + 1)
        eventually(lambda: found.is_whole(replicas), within_s=START_LIMIT_S, every_s=0.05)
        yield found
    finally:
        found.stop()


def ask(port: int, *words: str) -> object:
    """Send one command to a server or a sentinel; return its reply, None if it is away."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
            sock.sendall(b"".join((f"{' '.join(words)}\r\n".encode(), b"QUIT\r\n")))
            return _read_reply(sock)
    except OSError:
        return None


def _read_reply(sock: socket.socket) -> object:
    import hiredis  # noqa: PLC0415 - a sentinel knows no scripts, so a Line cannot ask it

    reader = hiredis.Reader()
    while (reply := reader.gets()) is False:
        data = sock.recv(65_536)
        if not data:
            return None
        reader.feed(data)
    return reply


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports
