"""The fork servers of environments: one for each that this process has used lately.

A server is started when its environment gets its first function here, so the first call meets a
warm one. If there are more than `most_warm`, those are stopped that had no child for the longest
time, after ten minutes without any.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtime.dependencies.environment_folder import Environment, EnvironmentFolder
from runtime.errors import ProcessError
from runtime.processes.fork_server import ForkServer

_IDLE_S = 600.0


@dataclass(slots=True)
class _Warm:
    """One server; `held` keeps its environment from being removed."""

    server: ForkServer
    held: int
    used_at: float


class EnvironmentServers:
    """Starts and stops fork servers; safe from any thread.

    Args:
        environments: The environments of this machine.
        preload: Our modules that each server imports.
        environment: The environment variables of functions.
        most_warm: How many may run without a child for long.
    """

    def __init__(
        self,
        environments: EnvironmentFolder,
        *,
        preload: Sequence[str],
        environment: Mapping[str, str],
        most_warm: int = 8,
    ) -> None:
        self._environments = environments
        self._preload = tuple(preload)
        self._environment = dict(environment) | {"PYTHONDONTWRITEBYTECODE": "1"}
        self._most_warm = most_warm
        self._lock = threading.Lock()
        self._warm: dict[tuple[str, tuple[str, ...]], _Warm] = {}
        self._is_stopped = False

    def server_of(self, environment: Environment, wished: Sequence[str] = ()) -> ForkServer:
        """Return the server of an environment, started if there is none.

        Args:
            environment: The environment.
            wished: Modules of the author's wish, imported before children are forked.

        Raises:
            ProcessError: The environment has been removed, or `stop` was called.
        """
        key = (environment.key, tuple(wished))
        with self._lock:
            if self._is_stopped:
                raise ProcessError("the fork servers are stopped")
            warm = self._warm.get(key)
            if warm is None:
                warm = self._warm[key] = self._start(environment, wished)
            warm.used_at = time.monotonic()
            stopped = self._take_idle()
        for each in stopped:
            self._end(each)
        return warm.server

    def release(self, key: str) -> None:
        """Stop the servers of an environment that have no child: it is about to be removed."""
        with self._lock:
            idle = [
                held
                for held, warm in self._warm.items()
                if held[0] == key and not warm.server.children
            ]
            stopped = [self._warm.pop(held) for held in idle]
        for each in stopped:
            self._end(each)

    def stop(self) -> None:
        """Stop all servers and what they have forked; safe to call twice."""
        with self._lock:
            self._is_stopped = True
            warm, self._warm = list(self._warm.values()), {}
        for each in warm:
            self._end(each)

    def _start(self, environment: Environment, wished: Sequence[str]) -> _Warm:
        held = self._environments.hold(environment.key)
        if held is None:
            raise ProcessError(f"the environment {environment.key} has been removed")
        server = ForkServer(
            preload=self._preload,
            wished=wished,
            environment=self._environment,
            program=environment.program,
        )
        try:
            server.start()
        except BaseException:
            os.close(held)
            raise
        return _Warm(server, held, time.monotonic())

    def _take_idle(self) -> list[_Warm]:
        """Remove and return the servers that are to be stopped; under the lock."""
        now = time.monotonic()
        idle = sorted(
            (
                key
                for key, warm in self._warm.items()
                if not warm.server.children and now - warm.used_at > _IDLE_S
            ),
            key=lambda key: self._warm[key].used_at,
        )
        return [self._warm.pop(key) for key in idle[: max(0, len(self._warm) - self._most_warm)]]

    def _end(self, warm: _Warm) -> None:
        warm.server.stop()
        os.close(warm.held)
