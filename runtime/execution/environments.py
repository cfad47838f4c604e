"""The environments that the functions of this worker need, built while it works on.

    unknown ──lack──► building ──► ready
                         └──────► failed ──after a pause──► building

Loop thread only, except for the threads that build. An attempt whose environment is not ready goes
back to its queue, and nothing more of its function is claimed until it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from runtime.dependencies.builder import DependencyError
from runtime.dependencies.environment_folder import Environment
from runtime.dependencies.lock import Lock
from runtime.dependencies.provision import Provision
from runtime.errors import ProcessError
from runtime.loop import Loop
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle

_log = structlog.get_logger(__name__)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 30.0, 600.0
_MOST_KNOWN = 1_000


@dataclass(slots=True)
class _Needed:
    """One lock: its environment once that is ready, what ran there, and who waits for it."""

    functions: set[str]
    versions: set[str]
    environment: Environment | None = None
    is_building: bool = False
    failures: int = 0


class Environments:
    """Which environments are here, by lock.

    Args:
        loop: The worker's event loop.
        provision: Builds environments and starts fork servers in them; None if there are none.
        default: The fork server of Penstock's own environment.
        on_ready: Called when an environment has become ready: more may be claimed.
    """

    def __init__(
        self,
        loop: Loop,
        provision: Provision | None,
        default: ForkServer,
        *,
        on_ready: Callable[[], object],
    ) -> None:
        self._loop = loop
        self._provision = provision
        self._default = default
        self._on_ready = on_ready
        self._needed: dict[bytes, _Needed] = {}
        self._current: dict[str, bytes] = {}  # the newest lock of each function called here

    def has(self, bundle: Bundle, function: str) -> bool:
        """Whether a function can run here now; if not, its environment is being built."""
        if bundle.lock is None:
            self._current.pop(function, None)
            return True
        needed = self._of(bundle.lock)
        needed.versions.add(bundle.version)
        self._current[function] = bundle.lock.digest
        if needed.environment is not None:
            if self._given().is_there(needed.environment):
                return True
            needed.environment = None  # deleted by hand: it is built again from the lock
        elif self._provision is not None:
            needed.environment = self._provision.find_at_once(bundle.lock)
            if needed.environment is not None:
                return True
        needed.functions.add(function)
        self._build(bundle.lock, needed)
        return False

    def server_of(self, bundle: Bundle) -> ForkServer:
        """Return the fork server in which a bundle runs; blocks while one is started.

        Raises:
            ProcessError: Its environment is not here.
        """
        if bundle.lock is None:
            return self._default
        environment = self._of(bundle.lock).environment
        if environment is None:
            raise ProcessError("the function's environment is not here")
        return self._given().server_of(environment, bundle.lock)

    def want(self, lock: Lock) -> None:
        """Build an environment before anything needs it: a version is about to be published."""
        needed = self._of(lock)
        if needed.environment is None:
            self._build(lock, needed)

    def lacking(self) -> frozenset[str]:
        """Return the functions of which nothing may be claimed now."""
        if not self._needed:
            return frozenset()
        return frozenset(
            name
            for digest, one in self._needed.items()
            if one.environment is None
            for name in self._waiting_for(digest, one)
        )

    def _waiting_for(self, digest: bytes, needed: _Needed) -> list[str]:
        """Return the functions that wait for a lock, and for no newer one."""
        return [name for name in needed.functions if self._current.get(name) == digest]

    def versions_in(self, key: str) -> frozenset[str]:
        """Return the versions that have run in an environment."""
        return frozenset(
            version
            for one in self._needed.values()
            if one.environment is not None and one.environment.key == key
            for version in one.versions
        )

    def view(self) -> tuple[list[str], int]:
        """Return the keys of the environments that are ready, and how many are being built."""
        ready = sorted(
            one.environment.key for one in self._needed.values() if one.environment is not None
        )
        return ready, sum(one.is_building for one in self._needed.values())

    def _of(self, lock: Lock) -> _Needed:
        needed = self._needed.get(lock.digest)
        if needed is None:
            if len(self._needed) >= _MOST_KNOWN:
                self._needed.clear()
                self._current.clear()
            needed = self._needed[lock.digest] = _Needed(set(), set())
        return needed

    def _build(self, lock: Lock, needed: _Needed) -> None:
        if needed.is_building:
            return
        needed.is_building = True
        build = threading.Thread(
            target=self._run_build, args=(lock, needed), name="build", daemon=True
        )
        try:
            build.start()
        except RuntimeError as error:  # the system has no more threads
            self._loop.call_soon(partial(self._failed, lock, needed, str(error)))

    def _run_build(self, lock: Lock, needed: _Needed) -> None:
        """Build one environment; runs in a thread of its own."""
        try:
            environment = self._given().environment_of(lock)
            self._given().server_of(environment, lock)  # the first call meets a warm one
        except Exception as error:  # noqa: BLE001 - outermost in its thread: it is told, and tried again
            self._loop.call_soon_threadsafe(partial(self._failed, lock, needed, str(error)))
            return
        self._loop.call_soon_threadsafe(partial(self._succeeded, needed, environment))

    def _given(self) -> Provision:
        if self._provision is None:
            raise DependencyError("DependencyUnavailable", "PENSTOCK_DEPENDENCIES=off here")
        return self._provision

    def _succeeded(self, needed: _Needed, environment: Environment) -> None:
        needed.environment, needed.is_building, needed.failures = environment, False, 0
        needed.functions.clear()
        _log.info("environment_ready", environment=environment.key, seconds=environment.seconds)
        self._on_ready()

    def _failed(self, lock: Lock, needed: _Needed, text: str) -> None:
        needed.failures += 1
        pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(needed.failures - 1, 10))
        functions = ", ".join(sorted(needed.functions))
        _log.warning("environment_failed", functions=functions, error=text, retry_in_s=pause_s)

        def again() -> None:
            needed.is_building = False
            if self._waiting_for(lock.digest, needed):
                self._build(lock, needed)

        self._loop.call_later(pause_s, again)
