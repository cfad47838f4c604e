"""The current function files, each with the outcome of its last load.

The publisher owns one `FileStates`: `update` compares it with the folder and starts loads, and
`states` is the input of `plan`. Outcomes arrive in the threads that load.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import structlog

from runtime.registry.bundle import Bundle
from runtime.registry.discovery import FoundFile
from runtime.registry.load_pool import Loaded, LoadPool, Ticket
from runtime.registry.manifest import FileError, Manifest
from runtime.registry.publish_plan import FileState, Outcome
from runtime.registry.published_version import PublishedVersion

_log = structlog.get_logger(__name__)
_UNTRIED_PAUSE_S = 0.5
_HANGING_FACTOR = 2
_FRESH_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileState:
    """One file; `load` is a new object for each load, None while no load is running."""

    found: FoundFile
    outcome: Outcome = None
    load: object = None
    begun_at: float = 0.0
    retry_at: float = 0.0


class FileStates:
    """Every function file of the folder; safe to use from many threads.

    Args:
        inspect: Loads one bundle in a child.
        on_outcome: Called when a load has ended, in the load's thread.
        at_once: How many quick loads may run at the same time.
        retry_failed_s: Time after which a file that failed is loaded again: a package or a data
            file that it lacked may have been added. A file that timed out waits twice as long.
    """

    def __init__(
        self,
        *,
        inspect: Callable[[Bundle], Sequence[Manifest]],
        on_outcome: Callable[[], None],
        at_once: int,
        retry_failed_s: float,
    ) -> None:
        self._on_outcome = on_outcome
        self._retry_failed_s = retry_failed_s
        self._loads = LoadPool(inspect=inspect, on_done=self._finish, at_once=at_once)
        self._lock = threading.Lock()
        self._states: dict[str, _FileState] = {}

    def update(self, found: Iterable[FoundFile]) -> None:
        """Replace the states by the files found now, and load the files that have changed."""
        now = time.monotonic()
        with self._lock:
            before, self._states = self._states, {}
            for file in found:
                self._states[file.file] = self._update_file(file, before.get(file.file), now)

    def states(self) -> list[FileState]:
        """Return the file states as `plan` takes them."""
        with self._lock:
            return [
                FileState(file=state.found.file, name=state.found.name, outcome=state.outcome)
                for state in self._states.values()
            ]

    def has_fresh_loads(self) -> bool:
        """Whether a new version began to load within the last second.

        A name that is missing now may then be back soon.
        """
        horizon = time.monotonic() - _FRESH_S
        with self._lock:
            return any(
                state.load is not None and state.outcome is None and state.begun_at > horizon
                for state in self._states.values()
            )

    def release_of(self, manifest: Manifest) -> PublishedVersion | None:
        """Return the version to publish for a manifest, None if the file does not provide it."""
        with self._lock:
            state = self._states.get(manifest.file)
        if state is None or state.found.bundle is None or not isinstance(state.outcome, tuple):
            return None
        if all(own.name != manifest.name for own in state.outcome):
            return None
        return PublishedVersion(bundle=state.found.bundle, manifests=state.outcome)

    def _update_file(self, found: FoundFile, held: _FileState | None, now: float) -> _FileState:
        if found.bundle is None:
            if found.error is not None and (held is None or held.outcome != found.error):
                log_load_failure(found.file, found.error)
            return _FileState(found=found, outcome=found.error)
        before = held.found.bundle if held is not None else None
        if held is None or before is None or before.version != found.bundle.version:
            return self._begin(_FileState(found=found, begun_at=now))
        is_due = held.load is None and now >= held.retry_at
        return self._begin(held) if is_due and not isinstance(held.outcome, tuple) else held

    def _begin(self, state: _FileState) -> _FileState:
        assert state.found.bundle is not None  # noqa: S101 - the caller has checked it
        begun = replace(state, load=object())
        self._loads.begin(state.found.bundle, (state.found.file, begun.load))
        return begun

    def _finish(self, ticket: Ticket, outcome: Loaded) -> None:
        """Record a load's outcome, unless the file has changed since; runs in the load's thread."""
        file, load = ticket
        with self._lock:
            held = self._states.get(file)
            if held is None or held.load is not load:
                return
            self._states[file] = replace(
                held,
                outcome=held.outcome if outcome is None else outcome,
                load=None,
                retry_at=time.monotonic() + self._pause_s(outcome),
            )
        if isinstance(outcome, FileError) and outcome != held.outcome:
            log_load_failure(file, outcome)
        self._on_outcome()

    def _pause_s(self, outcome: Loaded) -> float:
        if outcome is None:
            return _UNTRIED_PAUSE_S
        is_hanging = isinstance(outcome, FileError) and outcome.type == "Timeout"
        return self._retry_failed_s * (_HANGING_FACTOR if is_hanging else 1)


def log_load_failure(file: str, error: FileError) -> None:
    """Log that a file could not be loaded, so its current version is not served."""
    _log.warning(
        "function_failed",
        file=file,
        error_type=error.type,
        error=error.message,
        error_file=error.file,
        line=error.line,
    )
