"""The current function files, each with the outcome of its last load.

The publisher owns one `FileStates`: `update` compares it with the folder and starts loads, and
`states` is the input of `plan`. Outcomes arrive in the threads that load.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import structlog

from runtime.registry.bundle import Bundle
from runtime.registry.discovery import FoundFile
from runtime.registry.file_loading import LoadedFile, OnPhase, Phase
from runtime.registry.load_pool import Loaded, LoadPool, Ticket
from runtime.registry.manifest import FileError, Manifest
from runtime.registry.publish_plan import FileState, Outcome
from runtime.registry.published_version import PublishedVersion

_log = structlog.get_logger(__name__)
_UNTRIED_PAUSE_S = 0.5
_HANGING_FACTOR = 2
_FRESH_S = 1.0
_MOST_LOG_LINES = 50
# What needs a change of the file, and what may be there later: a package, the index, the disk.
_FINAL = {"MetadataInvalid", "DependencyConflict", "DependencyBuildRefused", "PythonUnavailable"}
_PASSING = {
    "DependencyUnavailable",
    "DependencyBuildFailed",
    "DependencyTimeout",
    "DiskFull",
}
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 30.0, 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileState:
    """One file.

    Attributes:
        found: What is on the disk.
        outcome: What the last load has given.
        bundle: What is published of it: with its lock, if it has one.
        load: A new object for each load, None while no load is running.
        phase: What a load that takes long is doing, and since when.
        log: What it has written, by lines.
        is_relocking: Whether its block is to be resolved anew: until that has succeeded or failed
            for good.
        failures: How many loads in a row have failed for a reason that may pass.
    """

    found: FoundFile
    outcome: Outcome = None
    bundle: Bundle | None = None
    load: object = None
    phase: Phase | None = None
    phase_at_ms: int = 0
    log: tuple[str, ...] = ()
    begun_at: float = 0.0
    retry_at: float = 0.0
    failures: int = 0
    is_relocking: bool = False


class FileStates:
    """Every function file of the folder; safe to use from many threads.

    Args:
        load: Loads one file, in children.
        on_outcome: Called when a load has ended, in the load's thread.
        at_once: How many quick loads may run at the same time.
        retry_failed_s: Time after which a file that failed is loaded again: a package or a data
            file that it lacked may have been added. A file that timed out waits twice as long.
    """

    def __init__(
        self,
        *,
        load: Callable[[FoundFile, OnPhase], LoadedFile],
        on_outcome: Callable[[], None],
        at_once: int,
        retry_failed_s: float,
    ) -> None:
        self._on_outcome = on_outcome
        self._retry_failed_s = retry_failed_s
        self._loads = LoadPool(
            load=load, on_done=self._finish, on_phase=self._note_phase, at_once=at_once
        )
        self._lock = threading.Lock()
        self._states: dict[str, _FileState] = {}

    def update(self, found: Iterable[FoundFile]) -> None:
        """Replace the states by the files found now, and load the files that have changed."""
        now = time.monotonic()
        with self._lock:
            before, self._states = self._states, {}
            for file in found:
                self._states[file.file] = self._update_file(file, before.get(file.file), now)

    def relock(self, file: str) -> None:
        """Load a file again as if its block had never been resolved."""
        with self._lock:
            held = self._states.get(file)
            if held is not None and held.found.needs is not None:
                self._states[file] = self._begin(replace(held, is_relocking=True))

    def states(self) -> list[FileState]:
        """Return the file states as `plan` takes them."""
        with self._lock:
            return [
                FileState(
                    file=state.found.file,
                    name=state.found.name,
                    outcome=state.outcome,
                    phase=state.phase,
                    phase_at_ms=state.phase_at_ms,
                    log="\n".join(state.log),
                )
                for state in self._states.values()
            ]

    def has_fresh_loads(self) -> bool:
        """Whether a new version began to load within the last second."""
        return any(map(_is_fresh, self._first_loads()))

    def has_loads_to_await(self) -> bool:
        """Whether a name that is missing now may be in a new version that is being loaded.

        Loading has a limit. Building an environment may take minutes, and what was removed must not
        serve on for that long: a version that waits for one counts for its first second only.
        """
        return any(state.phase is None or _is_fresh(state) for state in self._first_loads())

    def _first_loads(self) -> list[_FileState]:
        """Return the files whose version is being loaded for the first time."""
        with self._lock:
            states = self._states.values()
            return [state for state in states if state.load is not None and state.outcome is None]

    def release_of(self, manifest: Manifest) -> PublishedVersion | None:
        """Return the version to publish for a manifest, None if the file does not provide it."""
        with self._lock:
            state = self._states.get(manifest.file)
        if state is None or state.bundle is None or not isinstance(state.outcome, tuple):
            return None
        if all(own.name != manifest.name for own in state.outcome):
            return None
        return PublishedVersion(bundle=state.bundle, manifests=state.outcome)

    def _update_file(self, found: FoundFile, held: _FileState | None, now: float) -> _FileState:
        if found.bundle is None:
            if found.error is not None and (held is None or held.outcome != found.error):
                log_load_failure(found.file, found.error)
            return _FileState(found=found, outcome=found.error)
        if held is None or held.found.content != found.content:
            return self._begin(_FileState(found=found, begun_at=now))
        is_due = held.load is None and now >= held.retry_at
        is_wanted = held.is_relocking or not isinstance(held.outcome, tuple)
        return self._begin(held) if is_due and is_wanted else held

    def _begin(self, state: _FileState) -> _FileState:
        begun = replace(state, load=object())
        found = replace(state.found, is_relocked=state.is_relocking)
        self._loads.begin(found, (state.found.file, begun.load))
        return begun

    def _finish(self, ticket: Ticket, outcome: Loaded) -> None:
        """Record a load's outcome, unless the file has changed since; runs in the load's thread."""
        file, load = ticket
        with self._lock:
            held = self._states.get(file)
            if held is None or held.load is not load:
                return
            failures = held.failures + 1 if isinstance(outcome, FileError) else 0
            ended = replace(
                held,
                load=None,
                phase=None,
                failures=failures,
                is_relocking=held.is_relocking and not _is_final(outcome),
                retry_at=time.monotonic() + self._pause_s(outcome, failures),
            )
            if isinstance(outcome, LoadedFile):
                ended = replace(ended, outcome=outcome.manifests, bundle=outcome.bundle)
            elif outcome is not None:
                ended = replace(ended, outcome=outcome)
            self._states[file] = ended
        if isinstance(outcome, FileError) and outcome != held.outcome:
            log_load_failure(file, outcome)
        self._on_outcome()

    def _note_phase(self, ticket: Ticket, phase: Phase, line: str) -> None:
        """Record what a load is about to do, or a line of its log; runs in the load's thread."""
        file, load = ticket
        with self._lock:
            held = self._states.get(file)
            if held is None or held.load is not load:
                return
            if held.phase != phase:
                at_ms = time.time_ns() // 1_000_000
                held = replace(held, phase=phase, phase_at_ms=at_ms, log=())
            log = (*held.log[-_MOST_LOG_LINES:], line) if line else held.log
            self._states[file] = replace(held, log=log)
        self._on_outcome()

    def _pause_s(self, outcome: Loaded, failures: int) -> float:
        if outcome is None:
            return _UNTRIED_PAUSE_S
        if isinstance(outcome, FileError):
            if outcome.type in _FINAL:
                return math.inf
            if outcome.type in _PASSING:
                return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10))
        is_hanging = isinstance(outcome, FileError) and outcome.type == "Timeout"
        return self._retry_failed_s * (_HANGING_FACTOR if is_hanging else 1)


def _is_fresh(state: _FileState) -> bool:
    return time.monotonic() - state.begun_at < _FRESH_S


def _is_final(outcome: Loaded) -> bool:
    """Whether another try would give the same."""
    if isinstance(outcome, FileError):
        return outcome.type not in _PASSING
    return outcome is not None


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
