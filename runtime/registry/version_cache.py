"""A worker's cache of published versions; each is read from Redis once.

A version never changes, so a cached one stays valid. If the cache is full, the version that was
not used for the longest time is removed.
"""

from __future__ import annotations

from collections import OrderedDict

from runtime.errors import UnknownFunctionError
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from runtime.registry.published_version import decode_release

_MOST_VERSIONS = 256


class VersionCache:
    """Manifests and bundles by function name and version; for one thread."""

    def __init__(self, *, most_versions: int = _MOST_VERSIONS) -> None:
        self._most_versions = most_versions
        self._held: OrderedDict[str, tuple[dict[str, Manifest], Bundle]] = OrderedDict()

    def holds(self, version: str) -> bool:
        """Whether a version is in the cache."""
        return version in self._held

    def learn(self, version: str, data: bytes) -> None:
        """Add a version as stored in Redis; raises msgspec.MsgspecError if it is not one."""
        release = decode_release(data)
        self._held[version] = ({one.name: one for one in release.manifests}, release.bundle)
        while len(self._held) > self._most_versions:
            self._held.popitem(last=False)

    def function(self, name: str, version: str) -> tuple[Manifest, Bundle]:
        """Return a function's manifest and bundle, of a version that is in the cache.

        Raises:
            UnknownFunctionError: The version has no such function.
        """
        manifests, bundle = self._held[version]
        if len(self._held) * 2 > self._most_versions:  # else nothing will be removed soon
            self._held.move_to_end(version)
        manifest = manifests.get(name)
        if manifest is None:
            raise UnknownFunctionError(f"version {version} publishes no function {name}")
        return manifest, bundle
