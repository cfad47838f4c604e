"""What the gateway and the workers know of a function, without importing it.

Made by the registry from a loaded file, stored in Redis, read by everybody.
Plain data: `encode`/`decode` are JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

from runtime.sdk.options import Options

Injected = Literal["context", "request"]
_ASYNC_PER_PROCESS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FileError:
    """Why a file did not load: `line` is 1-based and absent where unknown."""

    type: str
    message: str
    file: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One published function.

    Attributes:
        name: Dotted name, the last part of its endpoint.
        version: First 12 hex digits of the hash of its source and helpers; empty
            when no version of it ever loaded (then only `error` and `file` speak).
        file: Path below the functions folder, with `/`.
        parameters: JSON Schema (2020-12) of the argument object.
        judged_by: JSON Schema that the gateway judges by where `parameters` only informs; None
            where `parameters` is exact, or takes too much at most.
        secrets: Where in the arguments secrets are, see `runtime.registry.secret_paths`.
        returns: JSON Schema of the result.
        injected: Parameter name to what is injected there.
        bytes_parameters: Parameters of type bytes (base64 in JSON).
        raw_parameter: The parameter that takes a non-JSON body whole, if there is one.
        error: Why the file on disk is not what serves, if it is not.
        is_loading: Its file has been seen and is being loaded; nothing serves yet.
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
    error: FileError | None = None
    is_loading: bool = False

    @property
    def takes_request(self) -> bool:
        """Whether the raw HTTP request is injected somewhere."""
        return "request" in self.injected.values()

    @property
    def validation_schema(self) -> dict[str, Any]:
        """What arguments are judged by before the runner sees them."""
        return self.parameters if self.judged_by is None else self.judged_by

    @property
    def window(self) -> int:
        """How many attempts one runner process may run at the same time.

        A manifest of a release that knew no `per_process` says nothing of it: one.
        """
        return self.options.per_process or 1

    def encode(self) -> bytes:
        """Return the manifest as JSON."""
        return msgspec.json.encode(self)


_decoder = msgspec.json.Decoder(Manifest)


def decode_manifest(data: bytes) -> Manifest:
    """Read what `Manifest.encode` wrote."""
    return _decoder.decode(data)


def resolve_per_process(options: Options, *, is_async: bool) -> Options:
    """Return the options with `per_process` as a number: what the author said, or the default.

    Args:
        options: As the author wrote them.
        is_async: Whether calling the function gives a coroutine or an asynchronous generator.
    """
    if options.per_process is not None:
        return options
    waits = is_async and options.isolation == "process"
    return replace(options, per_process=_ASYNC_PER_PROCESS if waits else 1)


def limits_of(options: Options) -> str:
    """Return a function's limits as the claim script reads them: "concurrency count per_ms"."""
    if options.concurrency is None and options.rate is None:
        return ""
    rate = options.rate
    count, per_ms = (rate.count, round(rate.per_s * 1000)) if rate else (0, 0)
    return f"{options.concurrency or 0} {count} {per_ms}"
