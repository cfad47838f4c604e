"""What a worker knows of published versions; each is read from Redis once.

A version never changes, so what was read stays true; the oldest unused is forgotten.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from runtime.errors import UnknownFunctionError
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from runtime.registry.release import decode_release
from runtime.store.function_calls import read_source
from runtime.store.line import Line

_MOST_VERSIONS = 256


class Catalog:
    """Manifests and bundles by name and version; safe to share between threads."""

    def __init__(self, line: Line, *, most_versions: int = _MOST_VERSIONS) -> None:
        self._line = line
        self._most_versions = most_versions
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[dict[str, Manifest], Bundle]] = OrderedDict()

    def function(self, name: str, version: str) -> tuple[Manifest, Bundle]:
        """Return what is needed to run a function in a version.

        Raises:
            UnknownFunctionError: There is no such version (any more), or not of this function.
            StoreError: Redis is away.
        """
        manifests, bundle = self._held.get(version) or self._read(name, version)
        if len(self._held) * 2 > self._most_versions:  # else none will soon be forgotten
            with self._lock:
                if version in self._held:
                    self._held.move_to_end(version)
        manifest = manifests.get(name)
        if manifest is None:
            raise UnknownFunctionError(f"version {version} publishes no function {name}")
        return manifest, bundle

    def holds(self, version: str) -> bool:
        """Whether a version need not be asked for."""
        return version in self._held

    def _read(self, name: str, version: str) -> tuple[dict[str, Manifest], Bundle]:
        data = self._line.run(read_source(version))
        if data is None:
            raise UnknownFunctionError(f"version {version} of {name} is no longer kept")
        release = decode_release(data)
        held = ({manifest.name: manifest for manifest in release.manifests}, release.bundle)
        with self._lock:
            self._held[version] = held
            while len(self._held) > self._most_versions:
                self._held.popitem(last=False)
        return held
