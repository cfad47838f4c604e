"""The function files as they are now, each with what came of its last load.

Owned by the publisher: `update` compares with the folder and begins loads, `states`
is what `plan` decides on. Outcomes arrive in the threads of the loads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import structlog

from runtime.registry.bundle import Bundle, PublishedVersion
from runtime.registry.discovery import FoundFile
from runtime.registry.load_pool import Loaded, LoadPool, Ticket
from runtime.registry.manifest import FileError, Manifest
from runtime.registry.publish_plan import FileState, Outcome

_log = structlog.get_logger(__name__)
_UNTRIED_PAUSE_S = 0.5
_HANGING_FACTOR = 2
_FRESH_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileState:
    """One file; `load` is a new object for every load begun, None when none is under way."""

    found: FoundFile
    outcome: Outcome = None
    load: object = None
    begun_at: float = 0.0
    retry_at: float = 0.0


class FileStates:
    """Every function file of the folder; safe to use from many threads.

    Args:
        inspect: Loads one bundle in a child.
        on_outcome: Called when a load has ended.
        at_once: Quick loads at a time.
        retry_failed_s: After this a file that failed is tried again: what it lacked (a
            package, a data file) may be there now. One that hangs waits twice as long.
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
        """Take in what the folder holds now, beginning loads where something is new."""
        now = time.monotonic()
        with self._lock:
            before, self._states = self._states, {}
            for file in found:
                self._states[file.file] = self._update_file(file, before.get(file.file), now)

    def states(self) -> list[FileState]:
        """Return what `plan` needs to know."""
        with self._lock:
            return [
                FileState(file=state.found.file, name=state.found.name, outcome=state.outcome)
                for state in self._states.values()
            ]

    def has_fresh_loads(self) -> bool:
        """Whether a load has just begun, so that a name missing now may soon be back."""
        horizon = time.monotonic() - _FRESH_S
        with self._lock:
            return any(
                state.load is not None and state.outcome is None and state.begun_at > horizon
                for state in self._states.values()
            )

    def release_of(self, manifest: Manifest) -> PublishedVersion | None:
        """Return the release that a manifest belongs to, if it is on the shelf."""
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
        assert state.found.bundle is not None  # noqa: S101 - asked before
        begun = replace(state, load=object())
        self._loads.begin(state.found.bundle, (state.found.file, begun.load))
        return begun

    def _finish(self, ticket: Ticket, outcome: Loaded) -> None:
        """Take a load's outcome, unless the file has changed since (in the load's thread)."""
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
    """Write one log line about a file that is not what serves."""
    _log.warning(
        "function_failed",
        file=file,
        error_type=error.type,
        error=error.message,
        error_file=error.file,
        line=error.line,
    )
