"""The function files that the thread lane has loaded: each version once, the last few of a file."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeAlias

from runtime.registry.bundle import Bundle

if TYPE_CHECKING:
    from runtime.registry.loaded_function import LoadedFunction

_VERSIONS_KEPT = 3
Functions: TypeAlias = "dict[str, LoadedFunction]"


class LoadedVersions:
    """Loads bundles and forgets old versions; safe to use from many threads."""

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._loaded: dict[str, Functions] = {}  # by version
        self._versions: dict[str, list[str]] = {}  # by file, oldest first

    def __len__(self) -> int:
        return len(self._loaded)

    def functions_of(self, bundle: Bundle) -> Functions:
        """Return the functions of a bundle by name, loading it if it is not.

        Raises:
            LoadError: It cannot be loaded.
        """
        found = self._loaded.get(bundle.version)
        if found is not None:
            return found
        # Loading takes pydantic along, which most workers do without.
        from runtime.registry.loading import load  # noqa: PLC0415

        with self._loading:
            found = self._loaded.get(bundle.version)
            if found is None:
                found = self._loaded[bundle.version] = load(bundle)
                versions = self._versions.setdefault(bundle.file, [])
                versions.append(bundle.version)
                if len(versions) > _VERSIONS_KEPT:
                    self._forget(versions.pop(0))
            return found

    def _forget(self, version: str) -> None:
        for function in self._loaded.pop(version).values():
            function.unload()  # with it, all functions of its file
            return
