"""Resolve what a file needs, and build its environment; each in a child process, with a limit.

The publisher resolves; the publisher and every worker build. All methods block, and may be called
from any thread. Where uv is not installed, pip builds from locks that exist.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import structlog

from runtime.dependencies import uv_commands, uv_configuration
from runtime.dependencies.environment_folder import Environment, EnvironmentFolder
from runtime.dependencies.interpreters import (
    OLDEST,
    Interpreter,
    PythonUnavailableError,
    find_interpreter,
    own_interpreter,
    probe,
)
from runtime.dependencies.lock import Lock, environment_key
from runtime.dependencies.release_age import ReleaseAge
from runtime.dependencies.script_metadata import ScriptMetadata
from runtime.errors import ChannelClosedError, ProcessError
from runtime.processes.fork_server import ForkServer

ENTRY = "runtime.dependencies.builder_main:work"
PRELOAD = ("runtime.dependencies.builder_main",)
_SEND_LIMIT_S = 5.0
_TURN_LIMIT_S = 3600.0  # for other builds of this machine
_log = structlog.get_logger(__name__)
_MARKER = f"sys_platform == '{sys.platform}' and platform_machine == '{platform.machine()}'"
OnLog = Callable[[str], object]
BuildPolicy = Literal["none", "listed", "all"]


class DependencyError(Exception):
    """What a file needs cannot be provided.

    Attributes:
        kind: The type of load error, such as "DependencyConflict".
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderOptions:
    """What the operator has decided; the settings of these names say what each means."""

    config: uv_configuration.Source = "auto"
    is_offline: bool = False
    builds: BuildPolicy = "listed"
    age: ReleaseAge | None = None
    pythons: tuple[str, ...] = ()
    downloads: bool = False
    links: str = "clone"
    resolve_limit_s: float = 120.0
    build_limit_s: float = 600.0
    start_limit_s: float = 30.0  # for the interpreter of a new environment
    free_bytes: int = 1024**3  # what a build must leave on the disk


class Builder:
    """Resolves and builds with uv.

    Args:
        environments: Where environments are built.
        environment: The environment of this process; uv gets what it needs of it.
        options: What the operator has decided.
    """

    def __init__(
        self,
        environments: EnvironmentFolder,
        *,
        environment: Mapping[str, str],
        options: BuilderOptions,
    ) -> None:
        self.environments = environments
        self._options = options
        self._environment = environment
        self._known: dict[str, Interpreter] = {}  # by what was asked for
        self._downloaded: list[str] = []  # paths of the interpreters that uv has brought
        self._starting = threading.Lock()  # guards the next
        self._started: tuple[ForkServer, tuple[str, ...]] | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """Kill what is under way, and stop; safe to call twice."""
        with self._starting:
            self._is_stopped = True
            if self._started is not None:
                self._started[0].stop()

    def _start(self) -> tuple[ForkServer, tuple[str, ...]]:
        """Return what starts children, and the options that uv gets; made when first needed."""
        with self._starting:
            if self._is_stopped:
                raise ProcessError("the builder is stopped")
            if self._started is None:
                configuration = uv_configuration.configure(
                    self._environment, source=self._options.config
                )
                if configuration.from_pip:
                    names = ", ".join(configuration.from_pip)
                    _log.info("pip_configuration_used", variables=names)
                data = self.environments.folder.parent
                own = {
                    "UV_CACHE_DIR": str(data / "uv-cache"),
                    "UV_PYTHON_INSTALL_DIR": str(data / "pythons"),
                    "UV_CONCURRENT_BUILDS": "1",
                    "UV_CONCURRENT_INSTALLS": "1",
                    "RAYON_NUM_THREADS": "1",
                }
                server = ForkServer(
                    preload=PRELOAD, environment=own | dict(configuration.environment)
                )
                self._started = server, configuration.arguments
            return self._started

    def interpreter_for(self, requires_python: str) -> Interpreter:
        """Return the interpreter that a file runs on here.

        Raises:
            DependencyError: None here fits.
        """
        pythons = (*self._options.pythons, *self._downloaded)
        try:
            found = find_interpreter(
                requires_python, pythons=pythons, environment=self._environment
            )
        except PythonUnavailableError as error:
            if not self._options.downloads:
                raise DependencyError("PythonUnavailable", str(error)) from None
            found = self._download(requires_python)
        self._known[requires_python] = found
        return found

    def _download(self, requires_python: str) -> Interpreter:
        wanted = f"{requires_python},>={'.'.join(map(str, OLDEST))}"
        done = self._ask(
            {"what": "find_python", "wanted": wanted}, self._options.build_limit_s, "got no Python"
        )
        found = probe(done["path"])
        if found is None:
            text = f"uv has installed Python {wanted}, and it does not answer: {done['path']}"
            raise DependencyError("PythonUnavailable", text)
        self._downloaded.append(found.path)
        return found

    def digest_of(self, metadata: ScriptMetadata, uv_lock: bytes | None) -> str:
        """Return a hash over all that decides what a block is resolved to, in hex.

        Raises:
            DependencyError: No interpreter here fits.
        """
        series = self.interpreter_for(metadata.requires_python).series
        parts = (
            *(metadata.digest, uv_commands.COMPANION, series),
            *(self._options.builds, str(self._options.age or "")),
        )
        digest = hashlib.sha256("\0".join(parts).encode())
        digest.update(uv_lock or b"")
        return digest.hexdigest()

    def resolve(
        self,
        metadata: ScriptMetadata,
        *,
        uv_lock: bytes | None = None,
        on_log: OnLog = lambda _: None,
    ) -> Lock:
        """Return the lock of a block.

        Args:
            metadata: What the block says.
            uv_lock: What `uv lock --script` has pinned for the file; kept to, if given.
            on_log: Called with each line that uv writes.

        Raises:
            DependencyError: It cannot be resolved.
            ProcessError: No child could be started.
        """
        interpreter = self.interpreter_for(metadata.requires_python)
        request = {
            "what": "resolve",
            "block": metadata.script(),
            "toml": metadata.text,
            "uv_lock": None if uv_lock is None else uv_lock.decode("utf-8", "replace"),
            "python": interpreter.path,
            "series": interpreter.series,
            "marker": _MARKER,
            "builds": self._builds(metadata.build),
            "arguments": self._age(metadata),
            "index": list(uv_commands.index_arguments(metadata.uv)),
        }
        done = self._ask(request, self._options.resolve_limit_s, "was not resolved", on_log)
        return Lock(
            requirements=done["requirements"],
            series=interpreter.series,
            requires_python=metadata.requires_python,
            build=metadata.build,
            preload=metadata.preload,
            index=uv_commands.index_arguments(metadata.uv),
            block=metadata.digest,
        )

    def find(self, lock: Lock) -> Environment | None:
        """Return the environment of a lock, None if it has not been built here.

        Raises:
            DependencyError: No interpreter here fits.
        """
        return self.environments.find(self._key(lock, self._interpreter_of(lock)))

    def find_at_once(self, lock: Lock) -> Environment | None:
        """Return the environment of a lock if that needs no search for an interpreter.

        It reads one file, and asks no process: an event loop may wait for it.
        """
        own = own_interpreter()
        interpreter = own if own.fits(lock.wanted_python) else self._known.get(lock.wanted_python)
        if interpreter is None:
            return None
        return self.environments.find(self._key(lock, interpreter))

    def build(self, lock: Lock, *, on_log: OnLog = lambda _: None) -> Environment:
        """Return the environment of a lock; build it first, unless it exists.

        Args:
            lock: What is installed.
            on_log: Called with each line that uv writes.

        Raises:
            DependencyError: It cannot be built.
            ProcessError: No child could be started.
        """
        interpreter = self._interpreter_of(lock)
        key = self._key(lock, interpreter)
        found = self.environments.find(key)
        if found is not None:
            return found
        self.environments.folder.mkdir(parents=True, exist_ok=True)
        request = {
            "what": "build",
            "folder": str(self.environments.folder.resolve()),
            "key": key,
            "requirements": lock.requirements,
            "python": interpreter.path,
            "version": interpreter.text,
            "platform": interpreter.platform,
            "builds": self._builds(lock.build),
            "links": self._options.links,
            "free_bytes": self._options.free_bytes,
            "start_limit_s": self._options.start_limit_s,
            "arguments": list(lock.index),
            "is_offline": self._options.is_offline,
        }
        limit_s = self._options.build_limit_s + _TURN_LIMIT_S
        self._ask(request, limit_s, "was not built", on_log)
        found = self.environments.find(key)
        if found is None:
            raise DependencyError("DependencyBuildFailed", "the environment was removed again")
        return found

    def prune_cache(self) -> None:
        """Remove from uv's cache what nothing needs; waits until nobody builds.

        Raises:
            DependencyError: uv refuses.
            ProcessError: No child could be started.
        """
        request = {"what": "prune", "folder": str(self.environments.folder.resolve())}
        self._ask(request, self._options.build_limit_s, "left the cache as it was")

    def _interpreter_of(self, lock: Lock) -> Interpreter:
        return self.interpreter_for(lock.wanted_python)

    def _key(self, lock: Lock, interpreter: Interpreter) -> str:
        return environment_key(lock.requirements, interpreter.text, interpreter.platform)

    def _ask(
        self,
        request: dict[str, Any],
        limit_s: float,
        fault: str,
        on_log: OnLog = lambda _: None,
    ) -> dict[str, Any]:
        uv = uv_commands.find_uv()
        if uv is None and request["what"] != "build":
            text = "uv is needed for it, and is not installed: pip install 'penstock[dependencies]'"
            raise DependencyError("DependencyUnavailable", text)
        server, options = self._start()
        offline = ["--offline"] if self._options.is_offline else []
        whole = {
            **request,
            "uv": uv,
            "policy": self._options.builds,
            "arguments": [*options, *offline, *request.get("arguments", ())],
        }
        ends_at = time.monotonic() + limit_s
        with server.spawn(ENTRY) as child:
            try:
                child.channel.send(json.dumps(whole).encode(), timeout_s=_SEND_LIMIT_S)
                kind, body = child.channel.receive(limit_s)
                while kind in {b"log", b"began"}:
                    if kind == b"log":
                        on_log(body.decode())
                    else:  # it has waited for other builds until now
                        limit_s = self._options.build_limit_s
                        ends_at = time.monotonic() + limit_s
                    kind, body = child.channel.receive(max(0.0, ends_at - time.monotonic()))
            except TimeoutError:
                text = f"the block {fault} within {limit_s:g} s"
                raise DependencyError("DependencyTimeout", text) from None
            except ChannelClosedError as error:
                text = f"the process that builds it ended: {error}"
                raise DependencyError("DependencyBuildFailed", text) from None
        answer: dict[str, Any] = json.loads(body)
        if kind == b"failed":
            raise DependencyError(answer["kind"], answer["message"])
        return answer

    def _builds(self, listed: Sequence[str]) -> list[str] | None:
        if self._options.builds == "all":
            return None
        return list(listed) if self._options.builds == "listed" else []

    def _age(self, metadata: ScriptMetadata) -> list[str]:
        """Return what keeps releases out that are younger than the operator allows."""
        age = self._options.age
        if age is None or age.is_younger_than(metadata.uv.get("exclude-newer")):
            return []
        return ["--exclude-newer", str(age)]


def environments_of(data: Path) -> EnvironmentFolder:
    """Return the environments below the data folder."""
    return EnvironmentFolder(data / "envs")
