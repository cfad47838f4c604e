"""What Redis shows of the published functions."""

from __future__ import annotations

from collections.abc import Callable

from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import decode_manifest
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import read_manifests, read_versions


class Published:
    """What Redis shows."""

    def __init__(self, connection: BlockingConnection) -> None:
        self.connection = connection

    def all(self) -> dict[str, Manifest]:
        return {
            name: decode_manifest(data)
            for name, data in self.connection.run(read_manifests()).items()
        }

    def versions(self) -> dict[str, str]:
        return self.connection.run(read_versions())

    def has(self, *names: str) -> Callable[[], bool]:
        """Whether these are published and no others; what is still being loaded is neither."""
        return lambda: set(names) == {n for n, m in self.all().items() if not m.is_loading}

    def error_of(self, name: str) -> str | None:
        manifest = self.all().get(name)
        return manifest.error.type if manifest and manifest.error else None
