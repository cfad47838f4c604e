"""The command lines of uv, and what its answers mean.

uv writes what went wrong for people. `kind_of_failure` reads from it only which kind of failure it
was; the text itself is what the author of the function gets to read.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from runtime.dependencies.uv_configuration import mask

COMPANION = "pydantic>=2.7,<3"  # the runner reads the types of the user's own models with it
_TEXT_MOST_BYTES = 8192
_NO_PROJECT = ("--no-python-downloads", "--no-progress", "--color", "never")
_NO_WHEEL = re.compile(
    r"building from source is disabled|no usable wheels|no wheels", re.IGNORECASE
)
_UNAVAILABLE = re.compile(
    r"network was disabled|[Ff]ailed to fetch|error sending request|timed out|[Cc]onnection"
    r"|dns error"
    r"|was not found in the (package registry|cache|provided package locations)"
    r"|HTTP status|client error|certificate"
    r"|could not be found",
)
_BUILD_FAILED = re.compile(
    r"Failed to build|[Bb]uild backend|build_wheel|Failed to install requirements from `build"
)
_FAULT_BEGINS = re.compile("\\s*(\N{MULTIPLICATION SIGN}|error:|ERROR:)")
_HASH = re.compile(r"[Hh]ash mismatch|hash(es)? (does|do) not match")


def find_uv() -> str | None:
    """Return the path of uv: the one installed beside Penstock, else one on the PATH."""
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - an extra
    except ImportError:
        return shutil.which("uv")
    try:
        return str(find_uv_bin())
    except FileNotFoundError:
        return shutil.which("uv")


def resolve_command(
    uv: str,
    sources: Sequence[Path],
    *,
    python: str,
    output: Path,
    builds: Sequence[str] | None,
    arguments: Sequence[str] = (),
    is_universal: bool = True,
) -> list[str]:
    """Return the command that pins requirements, with hashes, into a file.

    Args:
        uv: The program.
        sources: Requirements files and scripts with a block; all are satisfied together.
        python: The interpreter to resolve for.
        output: Where the pins go.
        builds: The packages that may be built from source; None allows all.
        arguments: Further options.
        is_universal: Whether the pins must hold on every platform.
    """
    return [
        *(uv, "pip", "compile", *map(str, sources), "--python", python),
        *("--generate-hashes", "--no-header", "--no-annotate"),
        *(["--universal"] if is_universal else []),
        *_allowed_builds(builds),
        *("--output-file", str(output)),
        *_NO_PROJECT,
        *arguments,
    ]


def export_command(uv: str, script: Path, output: Path) -> list[str]:
    """Return the command that writes the pins of the lock file beside a script into a file."""
    return [
        *(uv, "export", "--script", str(script), "--locked", "--no-header", "--no-annotate"),
        *("--no-hashes", "--output-file", str(output)),
        *_NO_PROJECT,
    ]


def explain_stale_lock(text: str) -> str:
    """Return what to do about a lock file that does not fit its block."""
    return (
        "the lock file beside the file does not fit its block; write it anew: "
        f"uv lock --script functions/NAME.py\n{mask(text)[: _TEXT_MOST_BYTES // 2]}"
    )


def add_command(uv: str, script: Path, packages: Sequence[str]) -> list[str]:
    """Return the command that adds packages to the block of a file and keeps its formatting."""
    return [uv, "add", "--quiet", *_NO_PROJECT, "--script", str(script), *packages]


def venv_command(uv: str, folder: Path, *, python: str) -> list[str]:
    """Return the command that makes an empty environment, which may be renamed afterwards."""
    venv = (uv, "venv", str(folder), "--python", python, "--relocatable", "--no-project", "--quiet")
    return [*venv, *_NO_PROJECT]


def install_command(
    uv: str,
    folder: Path,
    requirements: Path,
    *,
    builds: Sequence[str] | None,
    links: str,
    arguments: Sequence[str] = (),
) -> list[str]:
    """Return the command that installs exactly what is pinned, checking every hash."""
    return [
        *(uv, "pip", "sync", str(requirements), "--python", str(folder / "bin" / "python")),
        *("--require-hashes", "--link-mode", links),
        *_allowed_builds(builds),
        *_NO_PROJECT,
        *arguments,
    ]


def python_commands(uv: str, wanted: str) -> tuple[list[str], list[str]]:
    """Return the commands that download an interpreter, and that write its path.

    Args:
        uv: The program.
        wanted: A specifier such as ">=3.13".
    """
    quiet = ("--no-progress", "--color", "never")
    return (
        [uv, "python", "install", "--no-bin", *quiet, wanted],
        [uv, "python", "find", "--managed-python", "--no-project", *quiet, wanted],
    )


def prune_command(uv: str) -> list[str]:
    """Return the command that removes from the cache what nothing needs."""
    return [uv, "cache", "prune", *_NO_PROJECT[1:]]


def fault_in(lines: Sequence[str]) -> str:
    """Return what a failed command has written about its failure: not what it did before."""
    begins = (n for n, line in enumerate(lines) if _FAULT_BEGINS.match(line))
    return "".join(lines[next(begins, 0) :]).strip()


def kind_of_failure(text: str) -> str:
    """Return the type of load error that what uv has written stands for."""
    if "No space left on device" in text or "os error 28" in text:
        return "DiskFull"
    if _HASH.search(text):
        return "DependencyUnavailable"
    if _BUILD_FAILED.search(text):
        return "DependencyBuildFailed"
    if _NO_WHEEL.search(text):
        return "DependencyBuildRefused"
    if _UNAVAILABLE.search(text):
        return "DependencyUnavailable"
    return "DependencyConflict"


def explain(kind: str, text: str, *, policy: str = "listed") -> str:
    """Return uv's text, without credentials and bounded, with what to do about it."""
    lines = mask(text).strip()
    hint = ""
    if kind == "DependencyBuildRefused":
        hint = (
            '\nTo allow it, add to the block: [tool.penstock] build = ["NAME"]'
            if policy == "listed"
            else "\nPENSTOCK_DEPENDENCY_BUILDS=none forbids all builds from source here."
        )
    elif kind == "DependencyConflict" and "pydantic" in lines:
        hint = (
            f"\nPenstock's runner needs {COMPANION}: it reads the types of your models with it. "
            "Code that needs pydantic 1 goes into a program of its own."
        )
    room = _TEXT_MOST_BYTES - len(hint.encode())
    return lines.encode()[:room].decode("utf-8", "ignore") + hint


def _allowed_builds(builds: Sequence[str] | None) -> list[str]:
    if builds is None:
        return []
    # `--no-build` cannot be combined with names that may be built; these two can.
    listed = [word for name in builds for word in ("--no-binary", name)]
    return ["--only-binary", ":all:", *listed]
