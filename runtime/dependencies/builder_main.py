"""The child's side of `builder`: resolve a block, or build an environment, with uv.

A fork server forks the child, so uv and whatever it starts belong to the child's process group and
die with it. The environment of the process is uv's: it has no secrets of Penstock and no address
of Redis. What uv writes as it works goes to the parent line by line, as "log".
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from runtime.dependencies import pip_commands, uv_commands
from runtime.dependencies.environment_folder import Environment, EnvironmentFolder, size_of
from runtime.dependencies.lock import Package
from runtime.dependencies.uv_configuration import mask
from runtime.processes.channel import Channel

_NICENESS = 10
_MOST_BUILDS = 4
_ENVIRONMENT_MOST_BYTES = 2 * 1024**3
# Run in the new environment: say that it has started, compile all modules, as
# nobody can afterwards, and tell what is installed. A module that does not compile is left: it may
# be for another version of Python. Not uv's `--compile-bytecode`: it starts the interpreter before
# it is known that it does start.
_FINISH = """
import sys
print("started", flush=True)
import compileall
compileall.compile_dir(sys.argv[1], quiet=2, workers=1)
import importlib.metadata, json
import pydantic, pydantic_core
found = [(each.name, each.version) for each in importlib.metadata.distributions()]
print(json.dumps(sorted(found, key=lambda pair: pair[0].lower())))
"""


Say = Callable[[str], object]


class _FailureError(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def work(channel: Channel) -> None:
    """Receive one request, do what it asks for, and answer "done" or "failed"."""
    request = json.loads(channel.receive()[0])
    os.nice(_NICENESS)
    act = _ACTS[request["what"]]
    try:
        done = act(request, lambda line: channel.send(b"log" if line else b"began", line.encode()))
        answer = (b"done", json.dumps(done).encode())
    except _FailureError as error:
        failure = {"kind": error.kind, "message": str(error)}
        answer = (b"failed", json.dumps(failure).encode())
    except OSError as error:
        kind = "DiskFull" if error.errno == 28 else "DependencyBuildFailed"  # noqa: PLR2004 - ENOSPC
        answer = (b"failed", json.dumps({"kind": kind, "message": str(error)}).encode())
    channel.send(*answer)


def resolve(request: dict[str, Any], say: Say) -> dict[str, Any]:
    """Pin what a block asks for, together with what the runner needs; return the requirements.

    The request has `uv`, `block` (the file's block), `toml` (its content), `python`, `series`,
    `marker` (of this platform), `builds`, `arguments`, and `uv_lock`, the text of a lock file
    beside the function file, or None.
    """
    with tempfile.TemporaryDirectory(prefix="penstock-resolve-") as folder:
        pins = _constraints()
        if request["uv_lock"] is not None:
            pins += _pins_of_lock_file(request, Path(folder), say)
        faults: list[str] = []
        for marker in (None, request["marker"]):
            project = project_of(
                tomllib.loads(request["toml"]), series=request["series"], pins=pins, marker=marker
            )
            Path(folder, "pyproject.toml").write_text(project, encoding="utf-8")
            command = uv_commands.lock_command(
                request["uv"],
                Path(folder),
                python=request["python"],
                builds=request["builds"],
                arguments=request["arguments"],
            )
            fault = _run(command, folder, say)
            if not fault:
                return {"requirements": _exported(request, Path(folder), say)}
            faults.append(fault)
            if uv_commands.kind_of_failure(fault) != "DependencyConflict":
                break
            if marker is None:
                say("No versions fit every platform; trying this machine's alone.")
    raise _failure(faults[0], request)  # it speaks of the file alone, not of platforms


def project_of(
    document: dict[str, Any], *, series: str, pins: Sequence[str], marker: str | None
) -> str:
    """Return the `pyproject.toml` of a project that needs what a block names.

    A project, not the script itself: beside the script's own needs it can name the runner's, so
    the resolver tells whose they are, and it can be resolved for one platform alone.

    Args:
        document: The block's content.
        series: The series of Python to resolve for, such as "3.11".
        pins: Requirements that what is chosen has to satisfy, too.
        marker: The environment marker of the one platform; None for all.
    """
    own = document.get("tool", {}).get("uv", {})
    asked = document.get("requires-python", "")
    settings = {
        **own,
        "package": False,
        "default-groups": "all",
        "constraint-dependencies": [*own.get("constraint-dependencies", ()), *pins],
        **({"environments": [marker]} if marker else {}),
    }
    return tomli_w.dumps(
        {
            "project": {
                "name": "penstock-function",
                "version": "0",
                "requires-python": f"=={series}.*,{asked}".rstrip(","),
                "dependencies": list(document.get("dependencies", ())),
            },
            "dependency-groups": {uv_commands.RUNNER: [uv_commands.COMPANION]},
            "tool": {"uv": settings},
        }
    )


def _exported(request: dict[str, Any], project: Path, say: Say) -> str:
    """Return the requirements of a lock, each with its hashes."""
    pins, output = project / "pins.txt", project / "requirements.txt"
    exporting = uv_commands.export_command(request["uv"], project, pins)
    if fault := _run(exporting, str(project), say):
        raise _failure(fault, request)
    requirements = pins.read_text("utf-8")
    if not any(map(_is_without_hash, requirements.splitlines())):
        return requirements
    hashing = uv_commands.hash_command(
        request["uv"],
        pins,
        output,
        python=request["python"],
        builds=request["builds"],
        arguments=[*request["arguments"], *request["index"]],
    )
    if fault := _run(hashing, str(project), say):
        raise _failure(fault, request)
    return output.read_text("utf-8")


def _is_without_hash(line: str) -> bool:
    is_requirement = bool(line.strip()) and not line.startswith((" ", "#", "-"))
    return is_requirement and not line.endswith("\\") and "git+" not in line


def _pins_of_lock_file(request: dict[str, Any], folder: Path, say: Say) -> list[str]:
    script, output = folder / "function.py", folder / "pins.txt"
    script.write_text(request["block"], encoding="utf-8")
    Path(f"{script}.lock").write_text(request["uv_lock"], encoding="utf-8")
    command = uv_commands.export_script_command(request["uv"], script, output)
    if fault := _run(command, str(folder), say):
        raise _FailureError("MetadataInvalid", uv_commands.explain_stale_lock(fault))
    return _requirements_in(output)


def _constraints() -> list[str]:
    """Return what the operator's constraints files hold: uv reads them for `uv pip` alone."""
    named = os.environ.pop("UV_CONSTRAINT", "")  # noqa: TID251 - uv's, not ours
    return [each for file in named.split() for each in _requirements_in(Path(file))]


def _requirements_in(file: Path) -> list[str]:
    """Return the requirements of a file; its comments and options are left out."""
    lines = (line.partition(" #")[0].strip() for line in file.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def build(request: dict[str, Any], say: Say) -> dict[str, Any]:
    """Build an environment unless it exists; return its key.

    The request has `uv` (None: pip is used), `folder` (of all environments), `key`,
    `requirements`, `python`, `version` and `platform` of its interpreter, `builds`, `links` and
    `arguments`.
    """
    os.environ.pop("UV_CONSTRAINT", None)  # noqa: TID251 - for resolving: it has no hashes
    environments = EnvironmentFolder(Path(request["folder"]))
    with environments.building(request["key"]) as place:
        if place is not None:
            with environments.slot(_MOST_BUILDS):
                say("")
                _build_in(place, environments, request, say)
    return {"key": request["key"]}


def find_python(request: dict[str, Any], say: Say) -> dict[str, Any]:
    """Have uv download an interpreter; return its path. The request has `uv` and `wanted`."""
    commands = uv_commands.python_commands(request["uv"], request["wanted"])
    for command in commands[:-1]:
        if fault := _run(command, "/", say):
            raise _failure(fault, request)
    done = subprocess.run(  # noqa: S603 - our own command line
        commands[-1], capture_output=True, check=False, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        raise _failure(done.stderr, request)
    return {"path": done.stdout.strip()}


def prune(request: dict[str, Any], say: Say) -> dict[str, Any]:
    """Remove from uv's cache what nothing needs, while nobody builds.

    The request has `uv` and `folder` (of all environments).
    """
    with EnvironmentFolder(Path(request["folder"])).all_slots(_MOST_BUILDS):
        if fault := _run(uv_commands.prune_command(request["uv"]), "/", say):
            raise _failure(fault, request)
    return {}


_ACTS: dict[str, Callable[[dict[str, Any], Say], dict[str, Any]]] = {
    "resolve": resolve,
    "build": build,
    "find_python": find_python,
    "prune": prune,
}


def _build_in(
    place: Path, environments: EnvironmentFolder, request: dict[str, Any], say: Say
) -> None:
    began_at = time.monotonic()
    _require_space(environments.folder, request["free_bytes"])
    requirements = Path(f"{place}.txt")
    try:
        requirements.write_text(request["requirements"], encoding="utf-8")
        for command in _install_commands(place, requirements, request):
            if fault := _run(command, str(environments.folder), say):
                raise _failure(fault, request)
    finally:
        requirements.unlink(missing_ok=True)
    say("Starting its interpreter, compiling its modules")
    packages = _finish(place, request["start_limit_s"])
    size_bytes = size_of(place)
    if size_bytes > _ENVIRONMENT_MOST_BYTES:
        text = (
            f"the environment takes {size_bytes:,} bytes; the limit is {_ENVIRONMENT_MOST_BYTES:,}"
        )
        raise _FailureError("DependencyBuildFailed", text)
    _require_space(environments.folder, request["free_bytes"])
    environments.complete(
        Environment(
            folder=str(environments.folder / request["key"]),
            key=request["key"],
            python=request["version"],
            platform=request["platform"],
            packages=packages,
            size_bytes=size_bytes,
            built_at=time.time(),
            seconds=round(time.monotonic() - began_at, 3),
        ),
        place,
    )


def _install_commands(
    place: Path, requirements: Path, request: dict[str, Any]
) -> tuple[list[str], ...]:
    uv, python = request["uv"], request["python"]
    if uv is None:
        return (
            pip_commands.venv_command(place, python=python),
            pip_commands.install_command(
                place, requirements, builds=request["builds"], is_offline=request["is_offline"]
            ),
        )
    return (
        uv_commands.venv_command(uv, place, python=python),
        uv_commands.install_command(
            uv,
            place,
            requirements,
            builds=request["builds"],
            links=request["links"],
            is_from_git="git+" in request["requirements"],
            arguments=request["arguments"],
        ),
    )


def _finish(place: Path, start_limit_s: float) -> tuple[Package, ...]:
    """Start the interpreter as fork servers do, and compile; return what is installed."""
    with subprocess.Popen(  # noqa: S603 - the interpreter just installed
        [str(place / "bin" / "python"), "-P", "-s", "-c", _FINISH, str(place / "lib")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ.get("PATH", os.defpath)},  # noqa: TID251 - a child's
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        if not select.select([process.stdout], [], [], start_limit_s)[0]:
            process.kill()
            text = f"its interpreter did not start within {start_limit_s:g} s: a .pth file may hang"
            raise _unusable(text)
        said, complaint = process.communicate()
    if process.returncode != 0:
        raise _unusable(f"pydantic cannot be imported in it: {complaint.strip()[-2000:]}")
    try:
        return tuple(Package(*each) for each in json.loads(said.splitlines()[-1]))
    except (ValueError, TypeError, IndexError):
        raise _unusable("its interpreter writes to its standard output as it starts") from None


def _unusable(text: str) -> _FailureError:
    return _FailureError("DependencyBuildFailed", f"the environment is not usable: {text}")


def _run(command: Sequence[str], folder: str, say: Say) -> str:
    """Run uv or pip; return "" or what it has written about its failure."""
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603 - our own command line
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stderr is not None  # noqa: S101 - it is a pipe
        for line in process.stderr:
            lines.append(line)
            if line.strip():
                say(mask(line.rstrip()))
    if process.returncode == 0:
        return ""
    text = uv_commands.fault_in(lines)
    return text or f"{Path(command[0]).name} ended with {process.returncode} and without a word"


def _failure(text: str, request: dict[str, Any]) -> _FailureError:
    kind = uv_commands.kind_of_failure(text)
    return _FailureError(kind, uv_commands.explain(kind, text, policy=request["policy"]))


def _require_space(folder: Path, least_bytes: int) -> None:
    status = os.statvfs(folder)
    free_bytes = status.f_bavail * status.f_frsize
    if free_bytes < least_bytes:
        text = (
            f"{free_bytes:,} bytes are free on the disk of {folder}; a build must "
            f"leave {least_bytes:,}"
        )
        raise _FailureError("DiskFull", text)
