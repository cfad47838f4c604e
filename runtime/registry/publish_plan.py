"""What should be published, given the files as they are and what is published now.

Pure: no disk, no Redis, no time. The publisher computes it after every change and
applies the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from runtime.registry.manifest import FileError, Manifest

Outcome = tuple[Manifest, ...] | FileError | None
DUPLICATE = "DuplicateName"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A function file on disk.

    Attributes:
        file: Path below the functions folder.
        name: The dotted name the file stands for.
        outcome: What it publishes, why it cannot, or None while it is being loaded.
    """

    file: str
    name: str
    outcome: Outcome


def plan(
    files: Iterable[FileState],
    published: Mapping[str, Manifest],
    left_alone: Set[str] = frozenset(),
) -> dict[str, Manifest]:
    """Return the manifest each published name should have; names missing are withdrawn.

    Of several files with one name, the one that serves it keeps it; where none does, the first by
    path has it. A file that fails keeps what it published before, with the error beside it. A file
    being loaded keeps what it had, or is shown as loading. What files in `left_alone` have
    published stays as it is, whatever they hold now.
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
            loading = Manifest(name=state.name, version="", file=state.file, is_loading=True)
            wanted.setdefault(state.name, loading)
    return wanted


def _holders(
    offers: Sequence[tuple[FileState, tuple[Manifest, ...]]],
    published: Mapping[str, Manifest],
    kept: Mapping[str, Manifest],
) -> dict[str, str]:
    """Return which file has each name."""
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
    """Show a fault where people look: at the file's functions, else at the name it stands for."""
    if any(manifest.file == state.file and manifest.error for manifest in wanted.values()):
        return
    holder = wanted.get(state.name)
    if holder is None:
        wanted[state.name] = Manifest(name=state.name, version="", file=state.file, error=fault)
    elif holder.error is None:
        wanted[state.name] = replace(holder, error=fault)
