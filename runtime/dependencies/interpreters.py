"""Find an interpreter that a file's `requires-python` accepts.

uv finds interpreters by itself, but stops at the first broken one on the PATH. So each candidate
is asked here, in a process with a time limit, and uv gets the path of one that answered.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

OLDEST = (3, 11)  # what the runner needs
_NEWEST_MINOR = 15
_PROBE_LIMIT_S = 2.0
_SILENT_S = 60.0
_PROBE = (
    "import json, sys, sysconfig; print(json.dumps([list(sys.version_info[:3]), "
    "sysconfig.get_config_var('SOABI') or sysconfig.get_platform()]))"
)


class PythonUnavailableError(Exception):
    """No interpreter here satisfies `requires-python`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """An interpreter that has answered.

    Attributes:
        path: Its program.
        version: Major, minor and micro.
        platform: Its ABI, which names the series, the processor and the C library, such as
            `cpython-311-x86_64-linux-gnu`. Wheels are installed for exactly one.
    """

    path: str
    version: tuple[int, int, int]
    platform: str

    @property
    def series(self) -> str:
        """Major and minor, such as "3.11"."""
        return f"{self.version[0]}.{self.version[1]}"

    def fits(self, requires_python: str) -> bool:
        """Whether a specifier accepts it; "" accepts all."""
        from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - files with a block need it

        return SpecifierSet(requires_python).contains(self.text, prereleases=True)

    @property
    def text(self) -> str:
        """The whole version, such as "3.11.7"."""
        return ".".join(map(str, self.version))


def own_interpreter() -> Interpreter:
    """Return the interpreter of this process."""
    return Interpreter(
        path=sys.executable,
        version=sys.version_info[:3],
        platform=str(sysconfig.get_config_var("SOABI") or sysconfig.get_platform()),
    )


_answers: dict[str, tuple[Interpreter | None, float]] = {}


def probe(path: str) -> Interpreter | None:
    """Ask a program for its version; return None if it is no Python or does not answer in time.

    An answer is remembered: a version for as long as this process lives, None for a minute.
    """
    answer, asked_at = _answers.get(path, (None, -math.inf))
    if answer is None and time.monotonic() - asked_at > _SILENT_S:
        answer = _ask(path)
        _answers[path] = answer, time.monotonic()
    return answer


def _ask(path: str) -> Interpreter | None:
    command = [path, "-I", "-S", "-c", _PROBE]
    try:
        answer = subprocess.run(  # noqa: S603 - what the operator has put on the PATH
            command,
            capture_output=True,
            check=True,
            timeout=_PROBE_LIMIT_S,
            stdin=subprocess.DEVNULL,
        )
        version, platform = json.loads(answer.stdout)
        major, minor, micro = map(int, version)
    except (OSError, subprocess.SubprocessError, ValueError, TypeError):
        return None
    return Interpreter(path=path, version=(major, minor, micro), platform=str(platform))


def find_interpreter(
    requires_python: str, *, pythons: Sequence[str], environment: Mapping[str, str]
) -> Interpreter:
    """Return the worker's own interpreter if it fits, else the newest other that does.

    Args:
        requires_python: A specifier such as ">=3.12"; "" accepts all.
        pythons: Programs that the operator has named (`settings.pythons`).
        environment: Its PATH is searched for `python3.11` to `python3.15`.

    Raises:
        PythonUnavailableError: None fits.
    """
    own = own_interpreter()
    if own.fits(requires_python):
        return own
    found = [each for each in map(probe, _candidates(pythons, environment)) if each is not None]
    fitting = [each for each in found if each.version >= OLDEST and each.fits(requires_python)]
    if fitting:
        return max(fitting, key=lambda each: each.version)
    here = sorted({each.text for each in (own, *found)})
    raise PythonUnavailableError(
        f"the file needs Python {requires_python}; here is {', '.join(here)} "
        "(functions run on 3.11 or newer). Install one and put it on the PATH, or name it in "
        "PENSTOCK_PYTHONS."
    )


def _candidates(pythons: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    yield from pythons
    for minor in range(_NEWEST_MINOR, OLDEST[1] - 1, -1):
        path = shutil.which(f"python3.{minor}", path=environment.get("PATH"))
        if path is not None:
            yield path
