"""What a worker knows of published versions; each is read from Redis once.

A version never changes, so what was read stays true; the oldest unused is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict

from runtime.errors import UnknownFunctionError
from runtime.registry.bundle import Bundle, decode_release
from runtime.registry.manifest import Manifest

_MOST_VERSIONS = 256


class VersionCache:
    """Manifests and bundles by name and version; for one thread."""

    def __init__(self, *, most_versions: int = _MOST_VERSIONS) -> None:
        self._most_versions = most_versions
        self._held: OrderedDict[str, tuple[dict[str, Manifest], Bundle]] = OrderedDict()

    def holds(self, version: str) -> bool:
        """Whether a version need not be asked for."""
        return version in self._held

    def learn(self, version: str, data: bytes) -> None:
        """Remember a version as Redis keeps it; raises msgspec.MsgspecError if it is none."""
        release = decode_release(data)
        self._held[version] = ({one.name: one for one in release.manifests}, release.bundle)
        while len(self._held) > self._most_versions:
            self._held.popitem(last=False)

    def function(self, name: str, version: str) -> tuple[Manifest, Bundle]:
        """Return what is needed to run a function in a version that is held.

        Raises:
            UnknownFunctionError: The version has no such function.
        """
        manifests, bundle = self._held[version]
        if len(self._held) * 2 > self._most_versions:  # else none will soon be forgotten
            self._held.move_to_end(version)
        manifest = manifests.get(name)
        if manifest is None:
            raise UnknownFunctionError(f"version {version} publishes no function {name}")
        return manifest, bundle
