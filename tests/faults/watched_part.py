"""A Redis that sentinels watch, as a scenario's Redis: reached by their address."""

from __future__ import annotations

from pathlib import Path

from tests.faults.redis_part import RedisPart
from tests.support.sentinels import SERVICE, WatchedRedis, ask
from tests.support.waiting import eventually

REPLICAS = 2
FAILED_OVER_WITHIN_S = 20.0
WHOLE_WITHIN_S = 60.0


class WatchedPart(RedisPart):
    """A master, its replicas and their sentinels, already running."""

    def __init__(self, folder: Path, watched: WatchedRedis) -> None:
        super().__init__(folder, url=watched.url)
        self._watched = watched

    def await_whole(self) -> None:
        """Wait until the next fail-over is possible."""
        eventually(lambda: self._watched.is_whole(REPLICAS), within_s=WHOLE_WITHIN_S, every_s=0.1)

    def fail_over(self) -> None:
        """Kill the master; start it again as a replica once another has taken its place."""
        self.kill()
        port = self._watched.kill_master()
        eventually(
            lambda: self._watched.master() != port, within_s=FAILED_OVER_WITHIN_S, every_s=0.05
        )
        self._watched.start_server(port, replica_of=self._watched.master())

    def count_fail_overs(self) -> int:
        """Return how many fail-overs the sentinels agreed on, also those that nobody asked for."""
        told = ask(next(iter(self._watched.sentinels)), "SENTINEL", "MASTER", SERVICE)
        assert isinstance(told, list)
        pairs = dict(zip(told[::2], told[1::2], strict=True))
        return int(pairs[b"config-epoch"])
