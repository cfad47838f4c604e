"""The functions this gateway knows: manifests out of Redis, never the code.

Read once at the start, again whenever news says so, and asked about in Redis when a
name is not known; so a function that was published a moment ago is found.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

import msgspec
import structlog

from runtime.errors import FunctionUnavailableError, StoreError, UnknownFunctionError
from runtime.registry.manifest import Manifest, decode_manifest
from runtime.store import function_commands
from runtime.store.async_connection import AsyncConnection
from runtime.telemetry.background import lasting_task

_log = structlog.get_logger(__name__)
_RETRY_S = 0.5
_LOADING_LOOK_S = 0.05


class ManifestCache:
    """Manifests by name.

    Attributes:
        manifests: What is published, by name; replaced whole, never changed in place.
        is_loaded: Whether Redis has answered since the start.
        generation: Grows with every change; caches compare it.
    """

    def __init__(self, store: AsyncConnection) -> None:
        self.manifests: dict[str, Manifest] = {}
        self.is_loaded = False
        self.generation = 0
        self._store = store
        self._stale = asyncio.Event()
        self._has_looked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._raw: dict[str, bytes] = {}

    async def start(self) -> None:
        """Begin to follow what is published; return when it is known, or Redis does not answer.

        Who serves from here on need not refuse the first callers.
        """
        self._stale.set()
        self._task = lasting_task(self._follow, name="directory")
        await self._has_looked.wait()

    async def stop(self) -> None:
        """Stop following; safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def mark_stale(self) -> None:
        """Read everything again soon: something has changed, or may have."""
        self._stale.set()

    async def find(self, name: str) -> Manifest:
        """Return a function's manifest.

        Raises:
            UnknownFunctionError: Redis knows no such function either.
            FunctionUnavailableError: What Redis knows of it cannot be read here.
            StoreError: It is not known here, and Redis cannot be asked.
        """
        manifest = self.manifests.get(name)
        if manifest is not None:
            return manifest
        encoded = await self._store.run(function_commands.read_manifest(name))
        if encoded is None:
            raise UnknownFunctionError(f"No function is called {name[:128]!r}.")
        self.mark_stale()
        try:
            return decode_manifest(encoded)
        except msgspec.MsgspecError as error:
            raise FunctionUnavailableError(
                f"What is published of {name} cannot be read by this gateway's release."
            ) from error

    async def find_loaded(self, name: str, *, patience_s: float) -> Manifest:
        """Return a function's manifest; where its file is being loaded, wait for that a while.

        Raises:
            UnknownFunctionError: There is no such function, or its file turned out to have none.
            StoreError: It is not known here, and Redis cannot be asked.
        """
        ends_at = time.monotonic() + patience_s
        manifest = await self.find(name)
        while manifest.is_loading and time.monotonic() < ends_at:
            await asyncio.sleep(_LOADING_LOOK_S)
            manifest = await self.find(name)
        return manifest

    async def _follow(self) -> None:
        self._stale.set()  # what was to be read when this crashed, if it did
        while True:
            await self._stale.wait()
            self._stale.clear()
            if not await self._look():
                await asyncio.sleep(_RETRY_S)

    async def _look(self) -> bool:
        try:
            await self._refresh()
        except StoreError as error:
            _log.warning("manifests_unread", reason=str(error))
            self._stale.set()
            return False
        finally:
            self._has_looked.set()
        return True

    async def _refresh(self) -> None:
        encoded = await self._store.run(function_commands.read_manifests())
        manifests = {}
        for name, data in sorted(encoded.items()):
            if self._raw.get(name) == data:
                if name in self.manifests:
                    manifests[name] = self.manifests[name]
            elif (manifest := self._read(name, data)) is not None:
                manifests[name] = manifest
        if encoded != self._raw or not self.is_loaded:
            self.manifests, self._raw = manifests, encoded
            self.generation += 1
        self.is_loaded = True

    def _read(self, name: str, data: bytes) -> Manifest | None:
        """Read a manifest; one that another release has written may not be readable here."""
        try:
            return decode_manifest(data)
        except msgspec.MsgspecError as error:
            _log.error("manifest_unreadable", function=name, reason=str(error))
            return None
