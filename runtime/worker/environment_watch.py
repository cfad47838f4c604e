"""Have the environments of published functions ready before a call needs one, and clean up.

The worker looks at the published versions from time to time. A version that needs an environment
which is not here has it built at once; the first call then meets a warm fork server. Once an hour,
environments that nothing needs are removed.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

import msgspec
import structlog

from runtime.dependencies.builder import DependencyError
from runtime.dependencies.environment_folder import Environment
from runtime.dependencies.lock import Lock
from runtime.dependencies.provision import Provision
from runtime.errors import ProcessError
from runtime.registry.manifest_codec import decode_manifest
from runtime.registry.published_version import decode_release
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import read_manifests, read_source, read_versions
from runtime.worker.description import EnvironmentDetails

_log = structlog.get_logger(__name__)
_LOOK_EVERY_S = 5.0
_MOST_SHOWN = 100
_CLEAN_EVERY_S = 3600.0


class EnvironmentWatch:
    """A maintenance task.

    Args:
        connection: The connection of the maintenance thread.
        want: Has the environment of a lock built; called in the maintenance thread.
        provision: The environments of this machine.
        most_bytes: How much of the disk they may take together.

    Attributes:
        present: The environments of this machine, as heartbeats report them; at most 100.
    """

    def __init__(
        self,
        connection: BlockingConnection,
        *,
        want: Callable[[Lock], object],
        provision: Provision,
        most_bytes: int,
    ) -> None:
        self._connection = connection
        self._want = want
        self._provision = provision
        self._environments = provision.environments
        self._most_bytes = most_bytes
        self.present: tuple[EnvironmentDetails, ...] = ()
        self._seen: dict[str, str] = {}
        self._locks: dict[str, Lock] = {}  # of the versions that serve, by function
        self._serving: set[str] = set()  # the keys of their environments here
        self._cleans_at = time.monotonic() + _CLEAN_EVERY_S

    def step(self) -> float:
        """Look once; return the seconds until the next look.

        Raises:
            StoreError: Redis is unavailable.
        """
        versions = self._connection.run(read_versions())
        if versions != self._seen:
            self._look(versions)
            self._seen = versions
        functions = self._functions()
        self._serving = set(functions)
        shown = self._environments.all()[:_MOST_SHOWN]
        self.present = tuple(self._shown(each, functions.get(each.key, ())) for each in shown)
        if time.monotonic() >= self._cleans_at:
            self._cleans_at = time.monotonic() + _CLEAN_EVERY_S
            args = (frozenset(self._serving),)
            threading.Thread(target=self._clean, args=args, name="clean", daemon=True).start()
        return _LOOK_EVERY_S

    def _look(self, versions: dict[str, str]) -> None:
        """Note the locks of what serves, and have the environments of new ones built."""
        locks: dict[str, Lock] = {}
        for data in self._connection.run(read_manifests()).values():
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):  # another release
                manifest = decode_manifest(data)
                if manifest.version and manifest.dependencies:
                    name, version = manifest.name, versions.get(manifest.name)
                    is_known = name in self._locks and self._seen.get(name) == version
                    lock = self._locks[name] if is_known else self._lock_of(manifest.version)
                    if lock is not None:
                        locks[name] = lock
                        if not is_known:
                            self._want(lock)
        self._locks = locks

    def _functions(self) -> dict[str, list[str]]:
        """Return the functions that serve from environments of this machine, by its keys."""
        found: dict[str, list[str]] = {}
        keys: dict[bytes, str] = {}
        for name, lock in self._locks.items():
            digest = lock.digest
            if digest not in keys:
                environment = self._provision.find_at_once(lock)
                keys[digest] = "" if environment is None else environment.key
            if keys[digest]:  # else it is not built here yet
                found.setdefault(keys[digest], []).append(name)
        return found

    def _shown(self, environment: Environment, functions: Sequence[str]) -> EnvironmentDetails:
        return EnvironmentDetails(
            key=environment.key,
            python=environment.python,
            platform=environment.platform,
            packages=len(environment.packages),
            bytes=environment.size_bytes,
            last_used_at_ms=round(self._environments.last_used_at(environment.key) * 1000),
            functions=functions,
        )

    def _lock_of(self, version: str) -> Lock | None:
        data = self._connection.run(read_source(version))
        return None if data is None else decode_release(data).bundle.lock

    def _clean(self, serving: frozenset[str]) -> None:
        """Remove what nothing needs, and prune uv's cache once a week; in a thread of its own."""
        for key in serving:
            self._environments.note_used(key)
        for key in self._provision.remove_unused(most_bytes=self._most_bytes, kept=serving):
            _log.info("environment_removed", environment=key)
        if self._environments.is_pruning_due():
            try:
                self._provision.prune_cache()
            except (DependencyError, ProcessError) as error:
                _log.warning("cache_not_pruned", error=str(error))
