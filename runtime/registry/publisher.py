"""Keep the published functions in Redis equal to the functions folder.

The publisher runs in a thread of the one worker process that holds the publisher's lease. Each pass
reads the folder and Redis and applies the difference: it publishes and withdraws functions. So
nothing is lost if events were missed, an earlier publisher died half-way, or Redis lost its data.
`PublisherAuthority` decides which differences may be applied.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec
import structlog

from runtime.dependencies.provision import Provision
from runtime.errors import StoreError
from runtime.processes.fork_server import ForkServer
from runtime.registry.discovery import discover
from runtime.registry.file_loading import FileLoader
from runtime.registry.file_states import FileStates, log_load_failure
from runtime.registry.file_watcher import Watcher
from runtime.registry.folder_status import FolderStatus
from runtime.registry.manifest import FileError, Manifest, limits_of
from runtime.registry.manifest_codec import decode_manifest, encode_manifest
from runtime.registry.publication import versions_of
from runtime.registry.publish_plan import DUPLICATE, as_loading, plan
from runtime.registry.publisher_authority import Order, PublisherAuthority
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import (
    publish_function,
    read_manifests,
    read_publication,
    read_versions,
    set_load_error,
    unpublish_function,
)
from runtime.telemetry.background import lasting_thread

_log = structlog.get_logger(__name__)
_RETRY_S = 0.5
_STOP_LIMIT_S = 2.0
_LOADS_PER_CORE = 2


class Publisher:
    """Publishes a folder's functions from `start` until `stop`; can be started again.

    Args:
        connection: A connection of its own; closed while the publisher is stopped.
        fork_server: Starts the child processes that load files.
        root: The functions folder; it need not exist yet.
        load_timeout_s: How long a file may take to load.
        rescan_s: Longest time between two passes.
        retry_failed_s: Time after which a file that failed is loaded again.
        is_certain: Whether the operator has decided that this folder is to be published.
        provision: Provides what files with dependencies need; None refuses them.
    """

    def __init__(
        self,
        connection: BlockingConnection,
        fork_server: ForkServer,
        root: Path,
        *,
        load_timeout_s: float = 10.0,
        rescan_s: float = 5.0,
        retry_failed_s: float = 30.0,
        is_certain: bool = False,
        provision: Provision | None = None,
    ) -> None:
        self._is_certain = is_certain
        self._ordering = threading.Lock()
        self._order: Order | None = None
        self._connection = connection
        self._root = root
        self._rescan_s = rescan_s
        self._retry_failed_s = retry_failed_s
        loader = FileLoader(fork_server, deadline_s=load_timeout_s, provision=provision)
        self._load = loader.load
        self._pass: _Pass | None = None

    def start(self) -> None:
        """Start publishing; has no effect if it has been started."""
        if self._pass is not None:
            return
        woken = threading.Event()
        file_states = FileStates(
            load=self._load,
            on_outcome=woken.set,
            at_once=_LOADS_PER_CORE * (os.cpu_count() or 1),
            retry_failed_s=self._retry_failed_s,
        )
        rights = PublisherAuthority(
            self._root, lambda: self._order, self._carried_out, is_certain=self._is_certain
        )
        self._pass = _Pass(
            self._connection, file_states, self._root, rights, woken=woken, rescan_s=self._rescan_s
        )
        self._pass.start()

    @property
    def standing(self) -> FolderStatus | None:
        """How the folder compares with what is published; None before the first pass."""
        return self._pass.rights.standing if self._pass is not None else None

    @property
    def has_orders(self) -> bool:
        """Whether `request_publish` was called and has not been carried out."""
        return self._order is not None

    def request_publish(self, *, withdraw_missing: bool) -> None:
        """Publish the whole folder, whatever is published now; if stopped, after the next start."""
        with self._ordering:
            self._order = Order(withdraw_missing=withdraw_missing)
        if self._pass is not None:
            self._pass.wake()

    def relock(self, file: str) -> None:
        """Resolve anew what a file asks for, and publish it; what serves goes on meanwhile."""
        if self._pass is not None:
            self._pass.relock(file)

    def stop(self) -> None:
        """Stop publishing; safe to call twice. Outcomes of running loads are ignored."""
        stopped, self._pass = self._pass, None
        if stopped is not None:
            stopped.stop()

    def _carried_out(self, order: Order) -> None:
        with self._ordering:
            if self._order is order:  # not if the operator has ordered again meanwhile
                self._order = None


class _Pass:
    """The publisher's work from one `start` to the next `stop`."""

    def __init__(
        self,
        connection: BlockingConnection,
        file_states: FileStates,
        root: Path,
        rights: PublisherAuthority,
        *,
        woken: threading.Event,
        rescan_s: float,
    ) -> None:
        self._connection = connection
        self._file_states = file_states
        self._root = root
        self.rights = rights
        self._woken = woken
        self._rescan_s = rescan_s
        self._stopped = threading.Event()
        self._thread = lasting_thread(self._run, name="publisher")
        self._confirmed: set[tuple[str, str]] = set()
        self._trouble = ""
        self._faults: set[FileError] = set()

    def start(self) -> None:
        self._woken.set()
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def relock(self, file: str) -> None:
        self._file_states.relock(file)
        self._woken.set()

    def stop(self) -> None:
        self._stopped.set()
        self._woken.set()
        self._thread.join(_STOP_LIMIT_S)

    def _run(self) -> None:
        watcher = Watcher(self._root, self._woken.set)
        watcher.start()
        pause_s = 0.0
        try:
            while not self._stopped.is_set():
                self._woken.wait(pause_s)
                self._woken.clear()
                pause_s = _RETRY_S
                if not self._stopped.is_set():
                    pause_s = self._reconcile_safely()
        finally:
            watcher.stop()
            self._connection.close()

    def _reconcile_safely(self) -> float:
        """Make one pass and log any error; return the seconds until the next pass is due."""
        try:
            is_complete = self._reconcile()
        except (StoreError, OSError) as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                _log.warning("publisher_waits", folder=str(self._root), error=str(error))
            return _RETRY_S
        except Exception:  # noqa: BLE001 - outermost in the thread: log it and try again
            _log.exception("publisher_crashed")
            return _RETRY_S
        self._trouble = ""
        return self._rescan_s if is_complete else _RETRY_S

    def _reconcile(self) -> bool:
        """Start loads for changed files, then apply the plan; return False if some had to wait."""
        found = discover(self._root)
        self._file_states.update(found)
        states = self._file_states.states()
        encoded, versions, last = self._connection.run_many(
            [read_manifests(), read_versions(), read_publication()]
        )
        if not encoded and self._file_states.has_fresh_loads():
            # Nothing is published yet: publish the first functions together, so that a system that
            # reports itself ready has all of them.
            return False
        published, mine = _decode_all(encoded), versions_of(found)
        left = self.rights.decide(mine, published, last)
        wanted = plan(states, published, left)
        self._log_duplicates(wanted.values())
        if not encoded:
            # A gateway is ready when the first is published: it knows the others by then, and a
            # call of one of them waits instead of getting 404.
            self._connection.run_many(
                [
                    set_load_error(name, manifest=encode_manifest(as_loading(name, manifest.file)))
                    for name, manifest in wanted.items()
                ]
            )
        for name, manifest in wanted.items():
            if manifest.file not in left:
                self._settle(manifest, published.get(name), versions.get(name))
        unwanted = sorted((encoded.keys() | versions.keys()) - wanted.keys())
        if unwanted and self._file_states.has_loads_to_await():
            # The file may have been renamed, or another file may have the same function: do not
            # withdraw it before it is back.
            return False
        for name in unwanted:
            if left and name not in published:
                continue  # its manifest is unreadable, so its file may be one to leave alone
            if self._connection.run(unpublish_function(name)):
                _log.info("function_withdrawn", function=name)
        self.rights.note(mine, self._connection)
        return True

    def _log_duplicates(self, wanted: Iterable[Manifest]) -> None:
        faults = {each.error for each in wanted if each.error and each.error.type == DUPLICATE}
        for fault in faults - self._faults:
            log_load_failure(fault.file, fault)
        self._faults = faults

    def _settle(self, manifest: Manifest, before: Manifest | None, serving: str | None) -> None:
        """Publish one function; if there is no new version, only update its manifest."""
        release = self._file_states.release_of(manifest)
        if release is None or not manifest.version:
            self._annotate(manifest, before, serving)
            return
        key = (manifest.name, manifest.version)
        if before == manifest and serving == manifest.version and key in self._confirmed:
            return
        is_changed = self._connection.run(
            publish_function(
                manifest.name,
                manifest=encode_manifest(manifest),
                version=manifest.version,
                source=release.encode(),
                queue=manifest.options.queue,
                limits=limits_of(manifest.options),
                schedule=(manifest.options.schedule or "", manifest.options.timezone),
            )
        )
        self._confirmed.add(key)
        if is_changed:
            _log.info(
                "function_loaded",
                function=manifest.name,
                version=manifest.version,
                file=manifest.file,
            )

    def _annotate(self, manifest: Manifest, before: Manifest | None, serving: str | None) -> None:
        if before == manifest:
            return
        if serving and not manifest.version:
            self._connection.run(unpublish_function(manifest.name))
        self._connection.run(set_load_error(manifest.name, manifest=encode_manifest(manifest)))


def _decode_all(encoded: dict[str, bytes]) -> dict[str, Manifest]:
    """Decode manifests; skip those of another Penstock release, as they are written again."""
    published = {}
    for name, data in encoded.items():
        with contextlib.suppress(msgspec.MsgspecError):
            published[name] = decode_manifest(data)
    return published
