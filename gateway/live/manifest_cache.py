"""The functions that this gateway knows: their manifests from Redis, never their code.

All manifests are read at the start and again after each notice of a change. A name that is not
cached is looked up in Redis, so a function that was published a moment ago is found.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

import msgspec
import structlog

from gateway.parsing.function_names import find_name
from runtime.errors import FunctionUnavailableError, StoreError, UnknownFunctionError
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import decode_manifest
from runtime.store import function_commands
from runtime.store.async_connection import AsyncConnection
from runtime.telemetry.background import lasting_task

_log = structlog.get_logger(__name__)
_RETRY_S = 0.5
_LOADING_LOOK_S = 0.05


class ManifestCache:
    """Manifests by function name.

    Attributes:
        manifests: The published functions; replaced as a whole, never changed in place.
        is_loaded: Whether the manifests have been read since the start.
        generation: Grows with every change; other caches compare it.
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
        """Start to follow changes; return after the first read, even if Redis did not answer.

        If it did, the first requests do not get 503.
        """
        self._stale.set()
        self._task = lasting_task(self._follow, name="directory")
        await self._has_looked.wait()

    async def stop(self) -> None:
        """Stop following changes; safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def mark_stale(self) -> None:
        """Read all manifests again soon: something has changed, or may have changed."""
        self._stale.set()

    def recall(self, name: str) -> Manifest | None:
        """Return a function's manifest if it is cached, by its name or as OpenFaaS writes it."""
        found = find_name(self.manifests, name)
        return None if found is None else self.manifests[found]

    async def find(self, name: str) -> Manifest:
        """Return a function's manifest.

        Raises:
            UnknownFunctionError: No function of that name is published.
            FunctionUnavailableError: This release cannot read the function's manifest.
            StoreError: The function is not cached, and Redis does not answer.
        """
        manifest = self.manifests.get(name)
        if manifest is not None:
            return manifest
        encoded = await self._store.run(function_commands.read_manifest(name))
        if encoded is None:
            raise UnknownFunctionError(f"No function has the name {name[:128]!r}.")
        self.mark_stale()  # a notice was missed, or is still on its way
        try:
            return decode_manifest(encoded)
        except msgspec.MsgspecError as error:
            raise FunctionUnavailableError(
                f"This gateway's release cannot read the manifest of {name}."
            ) from error

    async def find_loaded(self, name: str, *, patience_s: float) -> Manifest:
        """Return a function's manifest; if its file is being loaded, wait up to `patience_s`.

        Which functions a file has is not known before it has loaded. So a name that nobody has is
        waited for, too, while any file is being loaded for the first time.

        Raises:
            UnknownFunctionError: No such function is published, or its file does not define it.
            FunctionUnavailableError: This release cannot read the function's manifest.
            StoreError: The function is not cached, and Redis does not answer.
        """
        ends_at = time.monotonic() + patience_s
        while True:
            is_over = time.monotonic() >= ends_at
            if is_over or not self._may_appear(name):
                manifest = await self.find(name)
                if is_over or not manifest.is_loading:
                    return manifest
            await asyncio.sleep(_LOADING_LOOK_S)

    def _may_appear(self, name: str) -> bool:
        """Whether a function is being loaded, or may be in a file that is."""
        manifest = self.manifests.get(name)
        if manifest is not None:
            return manifest.is_loading
        # An environment may take minutes to build: no unknown name is held up for that.
        return any(
            each.is_loading and not each.environment.is_under_way
            for each in self.manifests.values()
        )

    async def _follow(self) -> None:
        self._stale.set()  # after a crash, the change that was being read is still to be read
        while True:
            await self._stale.wait()
            self._stale.clear()  # before the read: a change during it must cause another read
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
            self._has_looked.set()  # without Redis too: `start` must return
        return True

    async def _refresh(self) -> None:
        encoded = await self._store.run(function_commands.read_manifests())
        manifests = {}
        for name, data in sorted(encoded.items()):
            # Equal bytes keep their Manifest object, because call plans compare by identity.
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
        """Decode a manifest; None if another release wrote it in a form that is unknown here."""
        try:
            return decode_manifest(data)
        except msgspec.MsgspecError as error:
            _log.error("manifest_unreadable", function=name, reason=str(error))
            return None
