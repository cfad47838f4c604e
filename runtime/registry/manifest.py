"""The manifest of a function: what the gateway and the workers know without importing it.

The registry makes it from a loaded file and stores it in Redis; gateway and workers read it there.
It is plain data, stored as JSON (`manifest_codec`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from runtime.errors import LoadError
from runtime.sdk.option_parsing import METHODS
from runtime.sdk.options import Options

Injected = Literal["context", "request"]
DEPENDENCY_ERRORS = frozenset(
    {
        "MetadataInvalid",
        "DependencyConflict",
        "DependencyUnavailable",
        "DependencyBuildRefused",
        "DependencyBuildFailed",
        "DependencyTimeout",
        "PythonUnavailable",
        "DiskFull",
    }
)
"""The types of `FileError` that say that what a file needs cannot be provided."""
EnvironmentState = Literal["none", "resolving", "building", "ready", "failed"]
_ASYNC_PER_PROCESS = 100
_METHODS_WITH_BODY = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileError:
    """Why a file did not load; `line` counts from 1 and is None if unknown."""

    type: str
    message: str
    file: str
    line: int | None = None


def fault_of(error: LoadError) -> FileError:
    """Return a load error as it is stored."""
    return FileError(type=error.kind, message=error.message, file=error.file, line=error.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentView:
    """The environment of a function, as it is shown.

    Attributes:
        state: `none`: it runs in Penstock's own. The others are those of its newest file.
        key: The name on the publisher's machine of the environment that serves; "" if none does.
        python: The version of its interpreter.
        packages: How many are installed.
        bytes: How much of the disk it takes.
        built_at_ms: When it was complete, in ms since the epoch; 0 if none serves.
        seconds: How long the build took.
        since_ms: Since when the newest file is being resolved or built, in ms since the epoch.
        message: Why it failed, or what has been written while it is resolved or built.
    """

    state: EnvironmentState = "none"
    key: str = ""
    python: str = ""
    packages: int = 0
    bytes: int = 0
    built_at_ms: int = 0
    seconds: float = 0.0
    since_ms: int = 0
    message: str = ""

    @property
    def is_under_way(self) -> bool:
        """Whether it is being resolved or built."""
        return self.state in {"resolving", "building"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageView:
    """An installed package."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One published function.

    Attributes:
        name: Dotted name, the last part of its endpoint.
        version: First 12 hex digits of the hash of its source and helpers; empty if no version has
            loaded yet. Then only `name`, `file`, `error` and `is_loading` mean anything.
        file: Path below the functions folder, with `/`.
        summary: First line of the docstring.
        description: The rest of the docstring's text.
        parameters: JSON Schema (2020-12) of the argument object, as published.
        judged_by: JSON Schema that the gateway validates with, if `parameters` may refuse what the
            runner accepts; else None.
        secrets: Paths of secrets in the arguments, see `runtime.registry.secret_paths`.
        returns: JSON Schema of the result.
        returns_description: What the docstring says about the result.
        options: The options of @function.
        injected: What is injected, by parameter name.
        bytes_parameters: Names of parameters of type bytes (base64 in JSON).
        raw_parameter: The parameter that takes a whole body that is not JSON, if there is one.
        returns_bytes: Whether the result is bytes.
        result_media_type: Media type of the result.
        returns_response: Whether it may return a `Response`, by its annotation.
        error: Why the file on disk is not the version that is served, if it is not.
        is_loading: Whether the file is being loaded and no version is served yet.
        sources: The hash of the sources alone, if `version` counts a lock too; else "".
        environment: Where it runs.
        dependencies: What is installed there.
    """

    name: str
    version: str
    file: str
    summary: str = ""
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    judged_by: dict[str, Any] | None = None
    secrets: tuple[tuple[str | None, ...], ...] = ()
    returns: dict[str, Any] = field(default_factory=dict)
    returns_description: str = ""
    options: Options = field(default_factory=Options)
    injected: dict[str, Injected] = field(default_factory=dict)
    bytes_parameters: tuple[str, ...] = ()
    raw_parameter: str | None = None
    returns_bytes: bool = False
    result_media_type: str = "application/json"
    returns_response: bool = False
    error: FileError | None = None
    is_loading: bool = False
    sources: str = ""
    environment: EnvironmentView = EnvironmentView()
    dependencies: tuple[PackageView, ...] = ()

    @property
    def takes_request(self) -> bool:
        """Whether a parameter gets the HTTP request."""
        return "request" in self.injected.values()

    @property
    def methods(self) -> tuple[str, ...]:
        """The HTTP methods that `/function/{name}` takes, HEAD aside.

        Those that the function declares; without any, all if it takes the request itself, else
        those with a body.
        """
        if self.options.methods:
            return self.options.methods
        return METHODS if self.takes_request else _METHODS_WITH_BODY

    @property
    def validation_schema(self) -> dict[str, Any]:
        """The JSON Schema that arguments are validated with before they reach the runner."""
        return self.parameters if self.judged_by is None else self.judged_by

    @property
    def window(self) -> int:
        """How many attempts one runner process may run at the same time.

        It is 1 for a manifest that an older release of Penstock wrote without `per_process`.
        """
        return self.options.per_process or 1


def resolve_per_process(options: Options, *, is_async: bool) -> Options:
    """Return the options with `per_process` set: the author's number, or the default.

    The default is 100 for an async function in a process, else 1.

    Args:
        options: The options as the author wrote them.
        is_async: Whether calling the function returns a coroutine or an asynchronous generator.
    """
    if options.per_process is not None:
        return options
    waits = is_async and options.isolation == "process"
    return replace(options, per_process=_ASYNC_PER_PROCESS if waits else 1)


def with_shorter_timeout(manifest: Manifest, timeout_s: float) -> Manifest:
    """Return the manifest for a call whose caller waits no longer than `timeout_s`."""
    if timeout_s >= manifest.options.timeout_s:
        return manifest
    return replace(manifest, options=replace(manifest.options, timeout_s=timeout_s))


def limits_of(options: Options) -> str:
    """Return the limits for the claim script, "concurrency count per_ms"; "" without limits."""
    if options.concurrency is None and options.rate is None:
        return ""
    rate = options.rate
    count, per_ms = (rate.count, round(rate.per_s * 1000)) if rate else (0, 0)
    return f"{options.concurrency or 0} {count} {per_ms}"
