"""Compute what should be published, from the function files and what is published now.

A pure function: no disk, no Redis, no clock. The publisher computes the plan after every change
and applies the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from runtime.registry.file_loading import Phase
from runtime.registry.manifest import DEPENDENCY_ERRORS, EnvironmentView, FileError, Manifest

Outcome = tuple[Manifest, ...] | FileError | None
DUPLICATE = "DuplicateName"
_LOG_MOST = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A function file on disk.

    Attributes:
        file: Path below the functions folder.
        name: The dotted name that the file stands for.
        outcome: The manifests that it publishes, the error why it cannot load, or None while its
            current version is being loaded for the first time.
        phase: What a load that takes long is doing, None if none is.
        phase_at_ms: Since when, in ms since the epoch.
        log: What it has written.
    """

    file: str
    name: str
    outcome: Outcome
    phase: Phase | None = None
    phase_at_ms: int = 0
    log: str = ""


def plan(
    files: Iterable[FileState],
    published: Mapping[str, Manifest],
    left_alone: Set[str] = frozenset(),
) -> dict[str, Manifest]:
    """Return the manifest that each name should have; names that are missing are withdrawn.

    If several files publish one name, the file that serves it now keeps it; if none does, the first
    by path gets it. A file that fails to load keeps what it published before, with the error added.
    A file that is being loaded keeps what it published, or is shown as loading. The functions of
    files in `left_alone` stay as they are published, whatever these files contain now.
    """
    states = [state for state in files if state.file not in left_alone]
    wanted = {name: held for name, held in published.items() if held.file in left_alone}
    faults: list[tuple[FileState, FileError]] = []
    offers = [
        (state, *_offer(state, published)) for state in sorted(states, key=lambda state: state.file)
    ]
    holders = _holders([(state, offered) for state, offered, _ in offers], published, wanted)
    for state, offered, fault in offers:
        shown = fault
        for manifest in offered:
            holder = holders[manifest.name]
            if holder == state.file:
                wanted[manifest.name] = manifest
            elif isinstance(state.outcome, tuple):
                text = f"{manifest.name} is already published by {holder}"
                shown = FileError(type=DUPLICATE, message=text, file=state.file)
        if shown is not None:
            faults.append((state, shown))
    for state, fault in faults:
        _attach(wanted, state, fault)
    for state in states:
        if state.outcome is None and not any(m.file == state.file for m in wanted.values()):
            wanted.setdefault(state.name, as_loading(state.name, state.file))
        _show_environment(wanted, state)
    return wanted


def _show_environment(wanted: dict[str, Manifest], state: FileState) -> None:
    """Show with the functions of a file what becomes of the environment of its newest version."""
    if state.outcome is None and state.phase is None:
        return  # not known yet: what was shown stays
    for name, manifest in wanted.items():
        if manifest.file == state.file:
            wanted[name] = replace(manifest, environment=_shown(state, manifest.environment))


def _shown(state: FileState, serving: EnvironmentView) -> EnvironmentView:
    """Return what serves, with what becomes of the newest version."""
    if state.phase is not None:
        message = state.log[-_LOG_MOST:]
        return replace(serving, state=state.phase, since_ms=state.phase_at_ms, message=message)
    if isinstance(state.outcome, FileError) and state.outcome.type in DEPENDENCY_ERRORS:
        return replace(serving, state="failed", since_ms=0, message=state.outcome.message)
    return replace(serving, state="ready" if serving.key else "none", since_ms=0, message="")


def as_loading(name: str, file: str) -> Manifest:
    """Return the manifest that shows a function as being loaded; a call of it waits."""
    return Manifest(name=name, version="", file=file, is_loading=True)


def _holders(
    offers: Sequence[tuple[FileState, tuple[Manifest, ...]]],
    published: Mapping[str, Manifest],
    kept: Mapping[str, Manifest],
) -> dict[str, str]:
    """Return the file that gets each name."""
    holders = {name: manifest.file for name, manifest in kept.items()}
    for state, offered in offers:
        for manifest in offered:
            serving = published.get(manifest.name)
            if serving is not None and serving.version and serving.file == state.file:
                holders.setdefault(manifest.name, state.file)
    for state, offered in offers:
        for manifest in offered:
            holders.setdefault(manifest.name, state.file)
    return holders


def _offer(
    state: FileState, published: Mapping[str, Manifest]
) -> tuple[tuple[Manifest, ...], FileError | None]:
    if isinstance(state.outcome, tuple):
        return state.outcome, None
    before = tuple(manifest for manifest in published.values() if manifest.file == state.file)
    if state.outcome is None:
        return before, None
    serving = (manifest for manifest in before if manifest.version)
    return tuple(replace(manifest, error=state.outcome) for manifest in serving), state.outcome


def _attach(wanted: dict[str, Manifest], state: FileState, fault: FileError) -> None:
    """Add an error to the file's functions; if it has none, to the name that it stands for."""
    if any(manifest.file == state.file and manifest.error for manifest in wanted.values()):
        return
    holder = wanted.get(state.name)
    if holder is None:
        wanted[state.name] = Manifest(name=state.name, version="", file=state.file, error=fault)
    elif holder.error is None:
        wanted[state.name] = replace(holder, error=fault)
