"""The command lines of uv, and what its answers mean.

uv writes what went wrong for people. `kind_of_failure` reads from it only which kind of failure it
was; the text itself is what the author of the function gets to read.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runtime.dependencies.uv_configuration import mask

RUNNER = "penstock-runner"  # what the resolver calls the runner, where its need is in conflict
COMPANION = "pydantic>=2.7,<3"  # the runner reads the types of the user's own models with it
_TEXT_MOST_BYTES = 8192
_COMMON = ("--no-python-downloads", "--no-progress", "--color", "never")
_FAULT_BEGINS = re.compile("\\s*(\N{MULTIPLICATION SIGN}|error:|ERROR:)")
# The first that is found in a text tells its kind.
_KINDS = (
    ("DiskFull", re.compile(r"No space left on device|os error 28")),
    ("MetadataInvalid", re.compile(r"TOML parse error")),  # [tool.uv] has what uv does not know
    (
        "DependencyUnavailable",
        re.compile(r"[Hh]ash mismatch|MATCH THE HASHES|hash(es)? (does|do) not match"),
    ),
    (
        "DependencyBuildFailed",
        re.compile(
            r"Failed to (download and )?build|[Bb]uild backend|build_wheel"
            r"|Failed to install requirements from `build"
        ),
    ),
    (
        "DependencyBuildRefused",
        re.compile(r"building from source is disabled|no usable wheels|no wheels", re.IGNORECASE),
    ),
    (
        "DependencyUnavailable",
        re.compile(
            r"network was disabled|[Ff]ailed to fetch|error sending request|timed out|[Cc]onnection"
            r"|dns error"
            r"|was not found in the (package registry|cache|provided package locations)"
            r"|HTTP status|client error|certificate"
            r"|could not be found",
        ),
    ),
)


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


def lock_command(
    uv: str,
    project: Path,
    *,
    python: str,
    builds: Sequence[str] | None,
    arguments: Sequence[str] = (),
) -> list[str]:
    """Return the command that resolves a project and writes its `uv.lock`.

    Args:
        uv: The program.
        project: The folder with `pyproject.toml`.
        python: The interpreter to resolve for.
        builds: The packages that may be built from source; None allows all.
        arguments: Further options.
    """
    # `--no-binary-package` takes a package out of `--no-build`.
    allowed = [word for name in builds or () for word in ("--no-binary-package", name)]
    return [
        *(uv, "lock", "--project", str(project), "--python", python),
        *([] if builds is None else ["--no-build", *allowed]),
        *_COMMON,
        *arguments,
    ]


def export_command(uv: str, project: Path, output: Path) -> list[str]:
    """Return the command that writes what is locked for a project as pins with hashes."""
    return [
        *(uv, "export", "--project", str(project), "--frozen", "--no-emit-project"),
        *("--no-header", "--no-annotate", "--output-file", str(output)),
        *_COMMON,
    ]


def hash_command(
    uv: str,
    pins: Path,
    output: Path,
    *,
    python: str,
    builds: Sequence[str] | None,
    arguments: Sequence[str] = (),
) -> list[str]:
    """Return the command that adds hashes to pins: a lock has none for files of a local folder."""
    return [
        *(uv, "pip", "compile", str(pins), "--python", python, "--universal"),
        *("--generate-hashes", "--no-header", "--no-annotate", "--output-file", str(output)),
        *_allowed_builds(builds),
        *_COMMON,
        *arguments,
    ]


def export_script_command(uv: str, script: Path, output: Path) -> list[str]:
    """Return the command that writes the pins of the lock file beside a script into a file."""
    return [
        *(uv, "export", "--script", str(script), "--locked", "--no-header", "--no-annotate"),
        *("--no-hashes", "--output-file", str(output)),
        *_COMMON,
    ]


def index_arguments(members: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the options that name the indexes of a block's `[tool.uv]` to the installer."""
    words: list[str] = []
    for each in members.get("index", ()):
        named = f"{each['name']}=" if each.get("name") else ""
        option = "--default-index" if each.get("default") else "--index"
        words += [option, f"{named}{each.get('url', '')}"]
    if "index-url" in members:
        words += ["--default-index", str(members["index-url"])]
    for name, option in (("extra-index-url", "--index"), ("find-links", "--find-links")):
        words += [word for each in members.get(name, ()) for word in (option, str(each))]
    if words:  # what is installed is known by its hash, from whichever it comes
        words += ["--index-strategy", "unsafe-best-match"]
    return tuple(words)


def explain_stale_lock(text: str) -> str:
    """Return what to do about a lock file that does not fit its block."""
    return (
        "the lock file beside the file does not fit its block; write it anew: "
        f"uv lock --script functions/NAME.py\n{mask(text)[: _TEXT_MOST_BYTES // 2]}"
    )


def add_command(uv: str, script: Path, packages: Sequence[str]) -> list[str]:
    """Return the command that adds packages to the block of a file and keeps its formatting."""
    return [uv, "add", "--quiet", *_COMMON, "--script", str(script), *packages]


def venv_command(uv: str, folder: Path, *, python: str) -> list[str]:
    """Return the command that makes an empty environment, which may be renamed afterwards."""
    venv = (uv, "venv", str(folder), "--python", python, "--relocatable", "--no-project", "--quiet")
    return [*venv, *_COMMON]


def install_command(
    uv: str,
    folder: Path,
    requirements: Path,
    *,
    builds: Sequence[str] | None,
    links: str,
    is_from_git: bool = False,
    arguments: Sequence[str] = (),
) -> list[str]:
    """Return the command that installs exactly what is pinned, checking every hash."""
    return [
        *(uv, "pip", "sync", str(requirements), "--python", str(folder / "bin" / "python")),
        *("--link-mode", links),
        *([] if is_from_git else ["--require-hashes"]),  # a commit is a hash
        *_allowed_builds(builds),
        *_COMMON,
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
    return [uv, "cache", "prune", *_COMMON[1:]]


def fault_in(lines: Sequence[str]) -> str:
    """Return what a failed command has written about its failure: not what it did before."""
    begins = (n for n, line in enumerate(lines) if _FAULT_BEGINS.match(line))
    return "".join(lines[next(begins, 0) :]).strip()


def kind_of_failure(text: str) -> str:
    """Return the type of load error that what uv has written stands for."""
    return next((kind for kind, words in _KINDS if words.search(text)), "DependencyConflict")


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
