"""uv, used by hand: what somebody would do who has no Penstock, with the same packages.

It gets the configuration that Penstock would give it, and a cache that is filled before anything is
measured. A script runs offline then, so that no index is waited for.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runtime.dependencies.uv_commands import find_uv
from runtime.dependencies.uv_configuration import configure, mask
from runtime.settings import read_environment
from tests.bench.installing import BUILD
from tests.bench.measuring import MeasuringError

_LIMIT_S = 600
_NICE = ("nice", "-n", "10")
_QUIET = ("--quiet", "--no-python-downloads")


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """How long something took, and how much processor time of all processes that did it."""

    ms: float
    processor_ms: float


def stopwatch(processor_s: Callable[[], float]) -> Callable[[], Took]:
    """Return what says how long it has been since; `processor_s` is what was used until now."""
    used_s, began_at = processor_s(), time.perf_counter()

    def read() -> Took:
        took_ms = (time.perf_counter() - began_at) * 1000
        return Took(ms=took_ms, processor_ms=(processor_s() - used_s) * 1000)

    return read


def used_by_children_s() -> float:
    """Return the processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def uv_environment() -> dict[str, str]:
    """Return this environment with the cache that Penstock and uv by hand share here."""
    return read_environment() | {"UV_CACHE_DIR": str(BUILD / "uv-cache")}


class UvByHand:
    """Runs uv's commands.

    Raises:
        MeasuringError: uv is not installed.
    """

    def __init__(self) -> None:
        uv = find_uv()
        if uv is None:
            raise MeasuringError("uv is not installed")
        self._uv = uv
        found = configure(uv_environment())
        self._environment = dict(found.environment)
        self._arguments = found.arguments

    def run_script(
        self, script: Path, argument: int, *, is_offline: bool = True
    ) -> tuple[str, Took]:
        """Run a script with a block by `uv run --script`; return what it writes.

        Raises:
            MeasuringError: Its packages cannot be had, or it fails.
        """
        command = (
            *("run", *_QUIET, "--no-project", "--python", sys.executable, *self._arguments),
            *(("--offline",) if is_offline else ()),
            *("--script", str(script), str(argument)),
        )
        read = stopwatch(used_by_children_s)
        written = self._run(*command)
        return written.strip(), read()

    def build(self, lock: Path, *, links: str = "", compiles: bool) -> Took:
        """Make an environment and install a lock by `uv venv` and `uv pip sync`; delete it again.

        As nice as Penstock's builds, so that what else the machine does meets both alike. `links`
        is uv's `--link-mode`, its own if empty.

        Raises:
            MeasuringError: A package cannot be had.
        """
        folder = Path(tempfile.mkdtemp(prefix="bench.")) / "environment"
        program = str(folder / "bin" / "python")
        chosen = [*(("--link-mode", links) if links else ())]
        chosen += ["--compile-bytecode"] if compiles else []
        try:
            read = stopwatch(used_by_children_s)
            venv = ("venv", str(folder), "--python", sys.executable, *_QUIET, "--no-project")
            self._run(*venv, is_nice=True)
            self._run(
                *("pip", "sync", str(lock), "--python", program, *_QUIET),
                *("--require-hashes", "--only-binary", ":all:", *chosen, *self._arguments),
                is_nice=True,
                unwanted="UV_CONSTRAINT",  # has no hashes; Penstock's builds do without it, too
            )
            return read()
        finally:
            shutil.rmtree(folder.parent, ignore_errors=True)

    def _run(self, *words: str, is_nice: bool = False, unwanted: str = "") -> str:
        try:
            done = subprocess.run(
                (*(_NICE if is_nice else ()), self._uv, *words),
                env={n: text for n, text in self._environment.items() if n != unwanted},
                capture_output=True,
                check=False,
                text=True,
                timeout=_LIMIT_S,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise MeasuringError(f"uv {words[0]} takes longer than {_LIMIT_S} s") from None
        if done.returncode:
            raise MeasuringError(f"uv {words[0]}: {mask(done.stderr)[-800:]}")
        return done.stdout
