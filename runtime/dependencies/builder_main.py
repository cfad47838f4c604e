"""The child's side of `builder`: resolve a block, or build an environment, with uv.

A fork server forks the child, so uv and whatever it starts belong to the child's process group and
die with it. The environment of the process is uv's: it has no secrets of Penstock and no address
of Redis.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.dependencies import uv_commands
from runtime.dependencies.environment_folder import Environment, EnvironmentFolder, size_of
from runtime.dependencies.lock import Package
from runtime.processes.channel import Channel

_NICENESS = 10
_MOST_BUILDS = 4
_FREE_BYTES = 1024**3  # what a build must leave on the disk
_ENVIRONMENT_MOST_BYTES = 2 * 1024**3
_PROBE = """
import importlib.metadata, json
import pydantic, pydantic_core
found = [(each.name, each.version) for each in importlib.metadata.distributions()]
print(json.dumps(sorted(found, key=lambda pair: pair[0].lower())))
"""


class _FailureError(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def work(channel: Channel) -> None:
    """Receive one request, do what it asks for, and answer "done" or "failed"."""
    request = json.loads(channel.receive()[0])
    os.nice(_NICENESS)
    try:
        done = resolve(request) if request["what"] == "resolve" else build(request)
        answer = (b"done", json.dumps(done).encode())
    except _FailureError as error:
        told = {"kind": error.kind, "message": str(error)}
        answer = (b"failed", json.dumps(told).encode())
    except OSError as error:
        kind = "DiskFull" if error.errno == 28 else "DependencyBuildFailed"  # noqa: PLR2004 - ENOSPC
        answer = (b"failed", json.dumps({"kind": kind, "message": str(error)}).encode())
    channel.send(*answer)


def resolve(request: dict[str, Any]) -> dict[str, Any]:
    """Pin what a block asks for; return the requirements, and whether they hold on every platform.

    The request has `uv`, `block` (its text), `python`, `builds`, `arguments`, and `uv_lock`, the
    text of a lock file beside the function file, or None.
    """
    with tempfile.TemporaryDirectory(prefix="penstock-resolve-") as folder:
        script, companions, output = (
            Path(folder, name) for name in ("function.py", "companions.in", "lock.txt")
        )
        script.write_text(request["block"], encoding="utf-8")
        companions.write_text(f"{uv_commands.COMPANION}\n", encoding="utf-8")
        arguments = list(request["arguments"])
        if request["uv_lock"] is not None:
            pins = Path(folder, "pins.txt")
            Path(f"{script}.lock").write_text(request["uv_lock"], encoding="utf-8")
            if fault := _run(uv_commands.export_command(request["uv"], script, pins), folder):
                raise _FailureError("MetadataInvalid", uv_commands.explain_stale_lock(fault))
            arguments += ["--constraints", str(pins)]
        found = ""
        for is_universal in (True, False):
            command = uv_commands.resolve_command(
                request["uv"],
                (script, companions),
                python=request["python"],
                output=output,
                builds=request["builds"],
                arguments=arguments,
                is_universal=is_universal,
            )
            found = _run(command, folder)
            if not found:
                return {"requirements": output.read_text("utf-8"), "is_universal": is_universal}
            if uv_commands.kind_of_failure(found) != "DependencyConflict":
                break
    raise _failure(found, request)


def build(request: dict[str, Any]) -> dict[str, Any]:
    """Build an environment unless it exists; return its key.

    The request has `uv`, `folder` (of all environments), `key`, `requirements`, `python`,
    `version` and `platform` of its interpreter, `builds`, `links` and `arguments`.
    """
    os.environ.pop("UV_CONSTRAINT", None)  # noqa: TID251 - for resolving: it has no hashes
    environments = EnvironmentFolder(Path(request["folder"]))
    with environments.building(request["key"]) as place:
        if place is not None:
            with environments.slot(_MOST_BUILDS):
                _build_in(place, environments, request)
    return {"key": request["key"]}


def _build_in(place: Path, environments: EnvironmentFolder, request: dict[str, Any]) -> None:
    began_at = time.monotonic()
    _require_space(environments.folder)
    uv, python = request["uv"], request["python"]
    requirements = Path(f"{place}.txt")
    requirements.write_text(request["requirements"], encoding="utf-8")
    commands = (
        uv_commands.venv_command(uv, place, python=python),
        uv_commands.install_command(
            uv,
            place,
            requirements,
            builds=request["builds"],
            links=request["links"],
            arguments=request["arguments"],
        ),
    )
    try:
        for command in commands:
            if fault := _run(command, str(environments.folder)):
                raise _failure(fault, request)
    finally:
        requirements.unlink()
    packages = _probe(place, request["start_limit_s"])
    _compile(place)
    size_bytes = size_of(place)
    if size_bytes > _ENVIRONMENT_MOST_BYTES:
        text = (
            f"the environment takes {size_bytes:,} bytes; the limit is {_ENVIRONMENT_MOST_BYTES:,}"
        )
        raise _FailureError("DependencyBuildFailed", text)
    _require_space(environments.folder)
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


def _probe(place: Path, limit_s: float) -> tuple[Package, ...]:
    """Start the interpreter once, as fork servers do; return what is installed."""
    program = str(place / "bin" / "python")
    try:
        answer = subprocess.run(  # noqa: S603 - the interpreter just installed
            [program, "-P", "-s", "-c", _PROBE],
            capture_output=True,
            check=True,
            text=True,
            timeout=limit_s,
            stdin=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONDONTWRITEBYTECODE": "1"},  # noqa: TID251 - a child's
        )
        return tuple(Package(*each) for each in json.loads(answer.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        text = f"its interpreter did not start within {limit_s:g} s: a .pth file may hang"
    except subprocess.CalledProcessError as error:
        text = f"pydantic cannot be imported in it: {error.stderr.strip()[-2000:]}"
    except (ValueError, TypeError, IndexError):
        text = "its interpreter writes to its standard output as it starts"
    raise _FailureError("DependencyBuildFailed", f"the environment is not usable: {text}")


def _compile(place: Path) -> None:
    """Write the bytecode of all modules, as nobody can afterwards.

    Not uv's `--compile-bytecode`: it starts the interpreter before it is known that it does start.
    A module that does not compile is left: it may be for another version of Python.
    """
    program = str(place / "bin" / "python")
    command = [program, "-I", "-m", "compileall", "-q", "-j", "1", str(place / "lib")]
    subprocess.run(  # noqa: S603 - the interpreter just installed
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _run(command: Sequence[str], folder: str) -> str:
    """Run uv; return "" or what it has written about its failure."""
    done = subprocess.run(  # noqa: S603 - our own command line
        command,
        cwd=folder,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode == 0:
        return ""
    said = done.stdout.decode("utf-8", "replace").strip()
    return said or f"uv ended with {done.returncode} and without a word"


def _failure(text: str, request: dict[str, Any]) -> _FailureError:
    kind = uv_commands.kind_of_failure(text)
    return _FailureError(kind, uv_commands.explain(kind, text, policy=request["policy"]))


def _require_space(folder: Path) -> None:
    status = os.statvfs(folder)
    free_bytes = status.f_bavail * status.f_frsize
    if free_bytes < _FREE_BYTES:
        text = f"{free_bytes:,} bytes are free on the disk of {folder}; a build must leave 1 GiB"
        raise _FailureError("DiskFull", text)
