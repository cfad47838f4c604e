"""Give a file what its block asks for: a lock, an environment, a fork server in it.

The publisher and the workers of one process share a `Provision`. All methods may block for as long
as uv takes, and may be called from any thread but an event loop's.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from typing import Protocol

from runtime.dependencies.builder import Builder, DependencyError
from runtime.dependencies.disk_use import remove_unused
from runtime.dependencies.environment_folder import Environment, EnvironmentFolder
from runtime.dependencies.environment_servers import EnvironmentServers
from runtime.dependencies.lock import Lock, lock_from
from runtime.dependencies.script_metadata import ScriptMetadata
from runtime.processes.fork_server import ForkServer

_MOST_RESOLVING = 8


class LockStore(Protocol):
    """Where locks are kept, for all publishers of a system."""

    def read(self, digest: str) -> bytes | None:
        """Return what is kept for a block, None if nothing is."""

    def keep(self, digest: str, lock: bytes, *, wins: bool) -> bytes:
        """Keep a lock, unless one is kept already and this does not win; return what is kept."""


class Provision:
    """Resolves, builds and starts what functions with packages of their own need.

    Args:
        builder: Resolves and builds with uv.
        servers: The fork servers of environments.
        locks: The locks of all blocks.
        needs_lock_file: Whether only files with a lock file beside them are provided for.
    """

    def __init__(
        self,
        builder: Builder,
        servers: EnvironmentServers,
        locks: LockStore,
        *,
        needs_lock_file: bool = False,
    ) -> None:
        self._builder = builder
        self._servers = servers
        self._locks = locks
        self._needs_lock_file = needs_lock_file
        self._lock = threading.Lock()  # guards the next
        self._resolving: dict[str, threading.Lock] = {}  # by digest: one block gets one lock
        self._places = threading.Semaphore(_MOST_RESOLVING)

    @property
    def environments(self) -> EnvironmentFolder:
        """The environments of this machine."""
        return self._builder.environments

    def lock_of(
        self,
        needs: ScriptMetadata,
        *,
        uv_lock: bytes | None,
        is_anew: bool = False,
        on_resolving: Callable[[], object] = lambda: None,
        on_log: Callable[[str], object] = lambda _: None,
    ) -> Lock:
        """Return the lock of a block; resolve it if it never was.

        Args:
            needs: What the block says.
            uv_lock: The lock file beside the function file, if there is one: it wins.
            is_anew: Whether the lock that is kept is replaced by a new one.
            on_resolving: Called if it has to be resolved.
            on_log: Called with each line that the resolver writes.

        Raises:
            DependencyError: It cannot be resolved.
            ProcessError: No child could be started.
        """
        if self._needs_lock_file and uv_lock is None:
            text = (
                "PENSTOCK_DEPENDENCIES=locked: the file needs a lock file beside it; write it: "
                "uv lock --script functions/NAME.py"
            )
            raise DependencyError("MetadataInvalid", text)
        digest = self._builder.digest_of(needs, uv_lock)
        with self._lock:
            resolving = self._resolving.setdefault(digest, threading.Lock())
        with resolving:
            kept = None if is_anew else self._locks.read(digest)
            if kept is None:
                on_resolving()
                with self._places:
                    lock = self._builder.resolve(needs, uv_lock=uv_lock, on_log=on_log)
                kept = self._locks.keep(digest, json.dumps(asdict(lock)).encode(), wins=is_anew)
        try:
            # Preloading resolves nothing, so blocks that differ only in it share what is kept.
            return replace(lock_from(json.loads(kept)), preload=needs.preload)
        except (ValueError, TypeError) as error:
            text = f"the lock that is kept for the block cannot be read ({error}); relock it"
            raise DependencyError("DependencyUnavailable", text) from error

    def find(self, lock: Lock) -> Environment | None:
        """Return the environment of a lock, None if it is not here.

        Raises:
            DependencyError: No interpreter here fits.
        """
        return self._builder.find(lock)

    def find_at_once(self, lock: Lock) -> Environment | None:
        """Return the environment of a lock if it is here and that is told without a search."""
        return self._builder.find_at_once(lock)

    def is_there(self, environment: Environment) -> bool:
        """Whether an environment has not been removed; does not block."""
        return os.path.exists(environment.program)  # noqa: PTH110 - once for each attempt

    def environment_of(
        self, lock: Lock, on_log: Callable[[str], object] = lambda _: None
    ) -> Environment:
        """Return the environment of a lock; build it if it is not here.

        Args:
            lock: What is installed.
            on_log: Called with each line that the installer writes.

        Raises:
            DependencyError: It cannot be built.
            ProcessError: No child could be started.
        """
        return self._builder.build(lock, on_log=on_log)

    def server_of(self, environment: Environment, lock: Lock) -> ForkServer:
        """Return the fork server of an environment.

        Raises:
            ProcessError: The environment has been removed, or this process is stopping.
        """
        return self._servers.server_of(environment, lock.preload)

    def remove(self, key: str) -> bool:
        """Remove an environment from this machine; return False if it is in use or not there."""
        self._servers.release(key)
        return self.environments.remove(key)

    def remove_unused(self, *, most_bytes: int, kept: Collection[str]) -> list[str]:
        """Remove environments that nothing needs; see `disk_use.remove_unused`."""
        return remove_unused(
            self.environments, most_bytes=most_bytes, kept=kept, remove=self.remove
        )

    def prune_cache(self) -> None:
        """Remove from uv's cache what nothing needs; raises DependencyError, ProcessError."""
        self._builder.prune_cache()

    def stop(self) -> None:
        """Stop all that runs for it; safe to call twice."""
        self._builder.stop()
        self._servers.stop()
