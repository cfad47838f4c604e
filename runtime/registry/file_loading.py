"""Load a function file as it was found: provide what it needs, and inspect it there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from runtime.dependencies.builder import DependencyError
from runtime.dependencies.environment_folder import Environment
from runtime.dependencies.provision import Provision
from runtime.errors import LoadError
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle
from runtime.registry.child_load import inspect
from runtime.registry.discovery import FoundFile
from runtime.registry.manifest import EnvironmentView, Manifest, PackageView

Phase = Literal["resolving", "building"]
OnPhase = Callable[[Phase, str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFile:
    """What a file publishes: its bundle, with its lock, and the manifests of its functions."""

    bundle: Bundle
    manifests: tuple[Manifest, ...]


class FileLoader:
    """Loads files; its method blocks and may be called from any thread.

    Args:
        fork_server: Starts children of Penstock's own environment.
        deadline_s: How long a file may take to load.
        provision: Provides what files need; None if files with dependencies are refused.
    """

    def __init__(
        self, fork_server: ForkServer, *, deadline_s: float, provision: Provision | None
    ) -> None:
        self._fork_server = fork_server
        self._deadline_s = deadline_s
        self._provision = provision

    def load(self, found: FoundFile, on_phase: OnPhase) -> LoadedFile:
        """Return what a file publishes.

        Args:
            found: The file; it has a bundle.
            on_phase: Called before what may take long, and with each line that it writes.

        Raises:
            LoadError: It does not load, or what it needs cannot be provided.
            ProcessError: No child could be started, which is not the file's fault.
        """
        assert found.bundle is not None  # noqa: S101 - the caller has checked it
        if found.needs is None:
            manifests = inspect(self._fork_server, found.bundle, deadline_s=self._deadline_s)
            return LoadedFile(bundle=found.bundle, manifests=tuple(manifests))
        if self._provision is None:
            text = "PENSTOCK_DEPENDENCIES=off: files may not have dependencies here"
            raise LoadError("MetadataInvalid", text, file=found.file, line=found.needs.line)
        try:
            lock = self._provision.lock_of(
                found.needs,
                uv_lock=found.uv_lock,
                is_anew=found.is_relocked,
                on_resolving=lambda: on_phase("resolving", ""),
                on_log=lambda line: on_phase("resolving", line),
            )
            environment = self._provision.find(lock)
            if environment is None:
                on_phase("building", "")
                environment = self._provision.environment_of(
                    lock, lambda line: on_phase("building", line)
                )
        except DependencyError as error:
            raise LoadError(
                error.kind, str(error), file=found.file, line=found.needs.line
            ) from error
        bundle = replace(found.bundle, lock=lock)
        manifests = inspect(
            self._provision.server_of(environment, lock),
            bundle,
            deadline_s=self._deadline_s,
            completing=self._fork_server,
        )
        for each in manifests:
            if each.options.isolation == "thread":
                text = (
                    f'{each.name}: isolation="thread" runs in the worker\'s own interpreter, which '
                    "does not have the packages of the block; leave it out"
                )
                raise LoadError("OptionError", text, file=found.file, line=None)
        view = view_of(environment)
        packages = tuple(PackageView(name=p.name, version=p.version) for p in environment.packages)
        return LoadedFile(
            bundle=bundle,
            manifests=tuple(
                replace(
                    each,
                    sources=found.bundle.version,
                    environment=view,
                    dependencies=packages,
                )
                for each in manifests
            ),
        )


def view_of(environment: Environment) -> EnvironmentView:
    """Return what is shown of an environment that is there."""
    return EnvironmentView(
        state="ready",
        key=environment.key,
        python=environment.python,
        packages=len(environment.packages),
        bytes=environment.size_bytes,
        built_at_ms=round(environment.built_at * 1000),
        seconds=environment.seconds,
    )
