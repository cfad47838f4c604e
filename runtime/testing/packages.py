"""The environment of a function file with packages of its own, where no system provides it.

It is kept in the data folder, as those of a system are, so the next run finds it and a system here
uses it too. What a block is resolved to is kept beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.dependencies.builder import DependencyError
from runtime.dependencies.provision import Provision
from runtime.dependencies.script_metadata import ScriptMetadata
from runtime.dependencies.setup import build_provision
from runtime.errors import LoadError
from runtime.registry.discovery import FoundFile
from runtime.settings import Settings, read_environment

OnLog = Callable[[str], object]


@contextmanager
def environment_for(found: FoundFile, settings: Settings, on_log: OnLog) -> Iterator[str]:
    """Yield the interpreter of a file's environment, built first if need be.

    Args:
        found: The file; it has a block.
        settings: The settings of dependencies.
        on_log: Called with what is done, and with each line that is written meanwhile.

    Raises:
        LoadError: What the file needs cannot be provided.
    """
    needs = found.needs
    assert needs is not None  # noqa: S101 - the caller has checked it
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        text = f"cannot write to the data folder {settings.data}: {error.strerror}"
        raise LoadError("DependencyUnavailable", text, file=found.file, line=None) from error
    provision = build_provision(
        settings,
        locks=FolderLockStore(settings.data.absolute() / "locks"),
        preload=(),
        process_environment=read_environment(),
        function_environment={},
    )
    if provision is None:
        text = "PENSTOCK_DEPENDENCIES=off: files may not have dependencies here"
        raise LoadError("MetadataInvalid", text, file=found.file, line=needs.line)
    try:
        held, program = _provide(provision, found, needs, on_log)
        try:
            yield program
        finally:
            os.close(held)
    except DependencyError as error:
        raise LoadError(error.kind, str(error), file=found.file, line=needs.line) from error
    finally:
        provision.stop()


def _provide(
    provision: Provision, found: FoundFile, needs: ScriptMetadata, on_log: OnLog
) -> tuple[int, str]:
    """Return a descriptor that keeps the environment from being removed, and its interpreter."""
    lock = provision.lock_of(
        needs,
        uv_lock=found.uv_lock,
        on_resolving=lambda: on_log("resolving the packages of the file"),
        on_log=on_log,
    )
    environment = provision.find(lock)
    if environment is None:
        on_log("building an environment")
        environment = provision.environment_of(lock, on_log)
    held = provision.environments.hold(environment.key)
    if held is None:
        raise DependencyError("DependencyBuildFailed", "the environment was removed again")
    return held, environment.program


class FolderLockStore:
    """A `LockStore` in a folder, for the runs of one machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, digest: str) -> bytes | None:
        """Return what is kept for a block, None if nothing is."""
        try:
            return (self._folder / f"{digest}.json").read_bytes()
        except OSError:
            return None

    def keep(self, digest: str, lock: bytes, *, wins: bool) -> bytes:
        """Keep a lock; of two runs at the same time, the later one wins."""
        del wins
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._folder / f".{digest}-{os.getpid()}"
        part.write_bytes(lock)
        part.replace(self._folder / f"{digest}.json")
        return lock
