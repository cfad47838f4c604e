"""Have the environments of published functions ready before a call needs one, and clean up.

The worker looks at the published versions from time to time. A version that needs an environment
which is not here has it built at once; the first call then meets a warm fork server. Once an hour,
environments that nothing needs are removed.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

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
        self._serving: set[str] = set()  # keys of the environments of versions that serve
        self._cleans_at = time.monotonic() + _CLEAN_EVERY_S

    def step(self) -> float:
        """Look once; return the seconds until the next look.

        Raises:
            StoreError: Redis is unavailable.
        """
        self.present = tuple(map(self._shown, self._environments.all()[:_MOST_SHOWN]))
        versions = self._connection.run(read_versions())
        if versions != self._seen:
            self._look(versions)
            self._seen = versions
        if time.monotonic() >= self._cleans_at:
            self._cleans_at = time.monotonic() + _CLEAN_EVERY_S
            self._clean()
        return _LOOK_EVERY_S

    def _look(self, versions: dict[str, str]) -> None:
        self._serving = set()
        for data in self._connection.run(read_manifests()).values():
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):  # another release
                manifest = decode_manifest(data)
                if manifest.version and manifest.dependencies:
                    self._serving.add(manifest.environment.key)
                    if self._seen.get(manifest.name) != versions.get(manifest.name):
                        self._prepare(manifest.version)

    def _shown(self, environment: Environment) -> EnvironmentDetails:
        return EnvironmentDetails(
            key=environment.key,
            python=environment.python,
            platform=environment.platform,
            packages=len(environment.packages),
            bytes=environment.size_bytes,
            last_used_at_ms=round(self._environments.last_used_at(environment.key) * 1000),
        )

    def _prepare(self, version: str) -> None:
        data = self._connection.run(read_source(version))
        if data is not None:
            lock = decode_release(data).bundle.lock
            if lock is not None:
                self._want(lock)

    def _clean(self) -> None:
        for key in self._serving:
            self._environments.note_used(key)
        removed = self._provision.remove_unused(most_bytes=self._most_bytes, kept=self._serving)
        for key in removed:
            _log.info("environment_removed", environment=key)
        if self._environments.is_pruning_due():
            threading.Thread(target=self._prune, name="prune", daemon=True).start()

    def _prune(self) -> None:
        """Prune uv's cache once a week; in a thread of its own, as it waits for builders."""
        try:
            self._provision.prune_cache()
        except (DependencyError, ProcessError) as error:
            _log.warning("cache_not_pruned", error=str(error))
