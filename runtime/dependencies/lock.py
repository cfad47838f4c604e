"""What was resolved for a block, and the environment in which it is installed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

_KEY_DIGITS = 16
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)\s*(==|@)\s*(?P<version>[^\s;\\]+)", re.MULTILINE)


class Package(NamedTuple):
    """One distribution and its version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The pinned requirements of one file, with the hashes of what is installed.

    The publisher makes it; it travels with the published version.

    Attributes:
        requirements: The lines of a requirements file, in pip's hash-checking mode.
        series: The series of Python for which it was resolved, such as "3.11".
        requires_python: What the file asks for; "" if it does not.
        build: Canonical names of the packages that may be built from source.
        preload: Modules that the fork server imports before it forks.
        index: The options that name the indexes of the block to the installer.
        block: The digest of the block that was resolved.
    """

    requirements: str
    series: str
    requires_python: str = ""
    build: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    block: str = ""

    @property
    def digest(self) -> bytes:
        """A SHA-256 hash over all that decides what is installed and preloaded."""
        return _digest_of(self)

    @property
    def wanted_python(self) -> str:
        """A specifier of the interpreters that it fits."""
        series = f"=={self.series}.*"
        return f"{self.requires_python},{series}" if self.requires_python else series

    def packages(self) -> list[Package]:
        """Return what is pinned; a package may stand twice, with markers for other platforms."""
        return [Package(pin["name"], pin["version"]) for pin in _PIN.finditer(self.requirements)]


@lru_cache(maxsize=1_000)
def _digest_of(lock: Lock) -> bytes:
    """Compute it once for each lock: workers ask at every call."""
    parts = (
        lock.requirements,
        lock.series,
        lock.requires_python,
        " ".join(lock.build),
        " ".join(lock.preload),
    )
    return hashlib.sha256("\0".join(parts).encode()).digest()


def lock_from(members: Mapping[str, Any]) -> Lock:
    """Return the lock with the members that `dataclasses.asdict` gave."""
    lists = {name: tuple(members.get(name, ())) for name in ("build", "preload", "index")}
    return Lock(**{**members, **lists})


def environment_key(requirements: str, python: str, platform: str) -> str:
    """Return the name of the environment for a lock, an interpreter and a platform: 16 hex digits.

    Args:
        requirements: The lock's requirements.
        python: The interpreter's whole version.
        platform: Its ABI.
    """
    parts = "\0".join((requirements, python, platform))
    return hashlib.sha256(parts.encode()).hexdigest()[:_KEY_DIGITS]
