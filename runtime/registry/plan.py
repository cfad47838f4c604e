"""What should be published, given the files as they are and what is published now.

Pure: no disk, no Redis, no time. The publisher computes it after every change and
applies the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from runtime.registry.manifest import FileError, Manifest

Outcome = tuple[Manifest, ...] | FileError | None


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


def plan(files: Iterable[FileState], published: Mapping[str, Manifest]) -> dict[str, Manifest]:
    """Return the manifest each published name should have; names missing are withdrawn.

    The first file by path that publishes a name has it. A file that fails keeps what it
    published before, with the error beside it. A file being loaded keeps what it had.
    """
    wanted: dict[str, Manifest] = {}
    faults: list[tuple[FileState, FileError]] = []
    for state in sorted(files, key=lambda state: state.file):
        offered, fault = _offer(state, published)
        for manifest in offered:
            holder = wanted.get(manifest.name)
            if holder is None:
                wanted[manifest.name] = manifest
            elif isinstance(state.outcome, tuple):
                fault = FileError(
                    type="DuplicateName",
                    message=f"{manifest.name} is already published by {holder.file}",
                    file=state.file,
                )
        if fault is not None:
            faults.append((state, fault))
    for state, fault in faults:
        _attach(wanted, state, fault)
    return wanted


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
