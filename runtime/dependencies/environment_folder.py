"""The environments of one machine: complete, read-only folders, each with a name of its own.

    <folder>/<key>/                 an environment; never changed once it has this name
    <folder>/<key>/environment.json what it is
    <folder>/.building-<key>-…/     being built by the holder of the lock; else left over
    <folder>/.removing-<key>-…/     being deleted; left over if that was killed
    <folder>/.lock-<key>            held by the builder of this key
    <folder>/.pruned                its time is when the cache was last pruned
    <folder>/.used-<key>            its time is when the environment was last used

Whoever uses an environment holds a shared lock on its `environment.json`; whoever removes one must
get that lock alone. The kernel frees the locks of a process that was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from runtime.dependencies.lock import Package

_DESCRIPTION = "environment.json"
_KEY_DIGITS = 16
_LOOK_S = 0.1
_PRUNED_EVERY_S = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment that is complete.

    Attributes:
        folder: Its absolute path.
        key: Its name.
        python: The whole version of its interpreter.
        platform: The ABI of its interpreter.
        packages: What is installed.
        size_bytes: How much of the disk it takes.
        built_at: When it was complete, in seconds since the epoch.
        seconds: How long the build took.
    """

    folder: str
    key: str
    python: str
    platform: str
    packages: tuple[Package, ...]
    size_bytes: int
    built_at: float
    seconds: float

    @property
    def program(self) -> str:
        """The path of its interpreter."""
        return f"{self.folder}/bin/python"


_MEMBERS = tuple(each.name for each in fields(Environment) if each.name != "folder")


class EnvironmentFolder:
    """All environments of this machine; any number of processes may use one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, key: str) -> Environment | None:
        """Return the environment with this name, None if there is none."""
        place = self.folder / key
        try:
            read = json.loads((place / _DESCRIPTION).read_bytes())
            described = {name: read[name] for name in _MEMBERS}
            described["packages"] = tuple(Package(*each) for each in described["packages"])
            return Environment(folder=str(place), **described)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def all(self) -> list[Environment]:
        """Return all environments, by name."""
        try:
            names = sorted(place.name for place in self.folder.iterdir())
        except OSError:
            return []
        found = (self.find(name) for name in names if len(name) == _KEY_DIGITS)
        return [each for each in found if each is not None]

    def last_used_at(self, key: str) -> float:
        """Return when an environment was last used, in seconds since the epoch; 0 if never."""
        try:
            return (self.folder / f".used-{key}").stat().st_mtime
        except OSError:
            return 0.0

    def note_used(self, key: str) -> None:
        """Remember that an environment is used now."""
        with contextlib.suppress(OSError):
            (self.folder / f".used-{key}").touch()

    def hold(self, key: str) -> int | None:
        """Return a descriptor that keeps an environment from being removed; None if it is gone."""
        try:
            held = os.open(self.folder / key / _DESCRIPTION, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        fcntl.flock(held, fcntl.LOCK_SH)
        try:
            is_there = os.path.samestat(os.fstat(held), (self.folder / key / _DESCRIPTION).stat())
        except OSError:
            is_there = False
        if not is_there:  # it was removed between the two
            os.close(held)
            return None
        self.note_used(key)
        return held

    @contextmanager
    def building(self, key: str) -> Iterator[Path | None]:
        """Wait until nobody else builds this environment; yield the folder to build it in.

        Yields None if it exists by then. What a killed builder has left is removed first.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder / f".lock-{key}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.find(key) is not None:
                yield None
                return
            for left in self.folder.glob(f".building-{key}-*"):
                _delete(left)
                left.unlink(missing_ok=True)  # a file beside such a folder
            self._set_aside(key)  # it is there, and cannot be read
            # A name of its own: uv may outlive a builder that was killed, and write into the old.
            place = self.folder / f".building-{key}-{os.getpid()}-{time.monotonic_ns()}"
            try:
                yield place
            finally:
                _delete(place)
        finally:
            os.close(lock)

    @contextmanager
    def slot(self, count: int) -> Iterator[None]:
        """Wait for one of `count` places; so many builds may run on this machine at a time."""
        slots = self._open_slots(count)
        try:
            while not any(map(_try_lock, slots)):
                time.sleep(_LOOK_S)
            yield
        finally:
            for slot in slots:
                os.close(slot)

    @contextmanager
    def all_slots(self, count: int) -> Iterator[None]:
        """Wait until nobody builds on this machine; until the end, nobody begins to."""
        slots = self._open_slots(count)
        try:
            for slot in slots:
                fcntl.flock(slot, fcntl.LOCK_EX)
            yield
        finally:
            for slot in slots:
                os.close(slot)

    def complete(self, environment: Environment, place: Path) -> None:
        """Describe what was built in `place`, make it read-only, and give it its name."""
        described = asdict(environment)
        del described["folder"]
        file = place / _DESCRIPTION
        with file.open("w", encoding="utf-8") as stream:
            json.dump(described, stream)
            stream.flush()
            os.fsync(stream.fileno())
        _make_read_only(place)
        place.rename(self.folder / environment.key)
        self.note_used(environment.key)

    def remove(self, key: str) -> bool:
        """Delete an environment; return False if it is in use or does not exist."""
        try:
            held = os.open(self.folder / key / _DESCRIPTION, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            if not _try_lock(held):
                return False
            away = self._set_aside(key)
            if away is None:
                return False
        finally:
            os.close(held)
        _delete(away)
        with contextlib.suppress(OSError):
            (self.folder / f".used-{key}").unlink()
        return True

    def is_pruning_due(self) -> bool:
        """Whether the cache was not pruned for a week; says so once, to one of all processes."""
        stamp = self.folder / ".pruned"
        try:
            is_due = time.time() - stamp.stat().st_mtime > _PRUNED_EVERY_S
            is_new = False
        except OSError:
            is_due, is_new = False, self.folder.is_dir()  # the week begins now
        if is_due or is_new:
            with contextlib.suppress(OSError):
                stamp.touch()
        return is_due

    def _open_slots(self, count: int) -> list[int]:
        self.folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        return [os.open(self.folder / f".slot-{n}", flags, 0o600) for n in range(count)]

    def _set_aside(self, key: str) -> Path | None:
        """Take its name from an environment; return where it is now, None if it was not there."""
        away = self.folder / f".removing-{key}-{os.getpid()}-{time.monotonic_ns()}"
        try:
            (self.folder / key).rename(away)
        except OSError:
            return None
        return away

    def delete_leftovers(self) -> None:
        """Delete what killed removals have left."""
        for place in self.folder.glob(".removing-*"):
            _delete(place)


def size_of(place: Path) -> int:
    """Return how many bytes a folder takes on the disk."""
    total = 0
    for folder, _, files in os.walk(place):
        for name in files:
            with contextlib.suppress(OSError):
                total += Path(folder, name).lstat().st_blocks * 512
    return total


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make_read_only(place: Path) -> None:
    for folder, _, files in os.walk(place):
        for name in files:
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode):
                path.chmod(stat.S_IMODE(mode) & ~0o222)
        # Renaming a folder below its own parent needs no right in the folder itself.
        Path(folder).chmod(0o555)


def _delete(place: Path) -> None:
    """Delete a folder, also one that is read-only; one that is not there is no error."""
    for folder, _, _ in os.walk(place):
        with contextlib.suppress(OSError):
            Path(folder).chmod(0o700)
    shutil.rmtree(place, ignore_errors=True)
