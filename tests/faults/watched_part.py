"""A Redis that sentinels watch, as a scenario's Redis: reached by their address."""

from __future__ import annotations

import time
from pathlib import Path

from tests.faults.redis_part import RedisPart
from tests.support.sentinels import SERVICE, WatchedRedis, ask
from tests.support.waiting import eventually

REPLICAS = 2
FAILED_OVER_WITHIN_S = 20.0
WHOLE_WITHIN_S = 60.0
CALM_S = 5.0


class WatchedPart(RedisPart):
    """A master, its replicas and their sentinels, already running.

    Attributes:
        deposed: How often the sentinels replaced a master that nobody had killed.
    """

    def __init__(self, folder: Path, watched: WatchedRedis) -> None:
        super().__init__(folder, url=watched.url)
        self.deposed = 0
        self._watched = watched
        self._master = watched.master()

    def await_whole(self) -> None:
        """Wait until the next fail-over is possible, and the last one over for every sentinel."""
        whole_since_s = time.monotonic()

        def is_calm() -> bool:
            nonlocal whole_since_s
            if not (self._is_agreed() and self._watched.is_whole(REPLICAS)):
                whole_since_s = time.monotonic()
            return time.monotonic() - whole_since_s >= CALM_S

        eventually(is_calm, within_s=WHOLE_WITHIN_S, every_s=0.1)
        self._note_master()

    def fail_over(self) -> None:
        """Kill the master; start it again as a replica once another has taken its place."""
        self._note_master()
        self.kill()
        port = self._watched.kill_master()
        eventually(
            lambda: self._watched.master() != port, within_s=FAILED_OVER_WITHIN_S, every_s=0.05
        )
        self._master = self._watched.master()
        self._watched.start_server(port, replica_of=self._master)

    def _is_agreed(self) -> bool:
        words = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return len({str(ask(port, *words)) for port in self._watched.sentinels}) == 1

    def _note_master(self) -> None:
        master = self._watched.master()
        if master != self._master:
            self.deposed += 1
        self._master = master
