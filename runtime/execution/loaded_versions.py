"""The function files loaded by the thread backend: the last three versions of each file."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeAlias

from runtime.registry.bundle import Bundle

if TYPE_CHECKING:
    from runtime.registry.loaded_function import LoadedFunction

_VERSIONS_KEPT = 3
Functions: TypeAlias = "dict[str, LoadedFunction]"


class LoadedVersions:
    """Loads bundles and unloads old versions; used by any thread of the backend."""

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._loaded: dict[str, Functions] = {}  # by version
        self._versions: dict[str, list[str]] = {}  # by file, oldest first

    def __len__(self) -> int:
        return len(self._loaded)

    def functions_of(self, bundle: Bundle) -> Functions:
        """Return the functions of a bundle by name; load it first if necessary.

        Raises:
            LoadError: It cannot be loaded.
        """
        found = self._loaded.get(bundle.version)
        if found is not None:
            return found
        # This imports pydantic, which most workers never need.
        from runtime.registry.loading import load  # noqa: PLC0415

        # Checked again under the lock: another thread may have loaded it meanwhile.
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
            function.unload()  # unloads all functions of its file
            return
