"""The child's side of `child_load`: load one bundle and answer once.

The answer is "complete" with the manifests; "described" with what is known of the functions, if
another process is to complete the manifests; or "failed" with the fields of a LoadError. If there
is no answer, the file has ended or crashed this process.
"""

from __future__ import annotations

import faulthandler
import io
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import to_json

from runtime.errors import LoadError, OptionError
from runtime.processes.channel import Channel
from runtime.processes.child_limits import memory_taken
from runtime.registry.bundle import decode_bundle
from runtime.registry.described import Described
from runtime.registry.loaded_function import LoadedFunction
from runtime.registry.loading import load
from runtime.registry.manifest import FileError, fault_of
from runtime.registry.retried_exceptions import resolve
from runtime.sdk.exception_names import PUBLIC_NAMESPACE, name_of
from runtime.sdk.options import RetryPolicy, written_size

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MOST_OUTPUT_BYTES = 64 * 1024
_MARK = b"\n[output while loading truncated: at most %d bytes are shown]\n" % _MOST_OUTPUT_BYTES


def inspect_bundle(channel: Channel) -> None:
    """Receive a bundle, load it and answer; exceptions of the file become a "failed" answer."""
    _bound_output()
    encoded, deadline_s, trace_path, completes = channel.receive()
    sys.dont_write_bytecode = True
    with Path(trace_path.decode()).open("wb", buffering=0) as trace:
        # faulthandler runs in a C thread, so it works even if the file holds the GIL for ever. At
        # the deadline it exits without an answer; the parent finds "Timeout" in the trace.
        faulthandler.enable(trace)
        faulthandler.dump_traceback_later(float(deadline_s), exit=True, file=trace)
        bundle = decode_bundle(encoded)
        try:
            functions = load(bundle, namespace=PUBLIC_NAMESPACE)
            module = sys.modules[f"{PUBLIC_NAMESPACE}.{bundle.default_name}"]
            taken_bytes = memory_taken() or 0
            described = [_describe(each, module, taken_bytes) for each in functions.values()]
            if completes == b"1":
                # At first use: what it imports is not in an environment of a function's own.
                from runtime.registry.manifest_completion import complete  # noqa: PLC0415

                answer = (b"complete", _encode([complete(each) for each in described]))
            else:
                answer = (b"described", _encode(described))
        except LoadError as error:
            answer = (b"failed", json.dumps(asdict(fault_of(error))).encode())
        except (TypeError, ValueError, OverflowError) as error:  # while encoding the manifests
            text = f"a function's manifest cannot be written as JSON: {error}"
            fault = FileError(type="SchemaError", message=text, file=bundle.file)
            answer = (b"failed", json.dumps(asdict(fault)).encode())
        faulthandler.cancel_dump_traceback_later()
        channel.send(*answer)


def _encode(value: Any) -> bytes:  # noqa: ANN401 - dataclasses
    return to_json(value, bytes_mode="base64", inf_nan_mode="null")


def _describe(function: LoadedFunction, module: ModuleType, taken_bytes: int) -> Described:
    """Return what only this process can know of a function; raise LoadError if it cannot run."""
    manifest = function.manifest
    options = manifest.options
    if options.isolation == "process" and taken_bytes > options.memory_bytes:
        text = (
            f'{manifest.name}: memory="{written_size(options.memory_bytes)}" is too little: the '
            f"process uses {written_size(taken_bytes, like=options.memory_bytes)} when the file "
            "has loaded"
        )
        raise LoadError("out_of_memory", text, file=manifest.file, line=function.line)
    resolved = replace(options, retry=_retry_of(function, module))
    return Described(
        manifest=replace(manifest, options=resolved),
        docstring=function.docstring,
        line=function.line,
    )


def _retry_of(function: LoadedFunction, module: ModuleType) -> RetryPolicy:
    """Return the retry policy with the full names of exceptions; raise LoadError if one fails."""
    manifest = function.manifest
    try:
        return resolve(manifest.options.retry, module)
    except BaseException as error:  # looking up a name imports the author's modules
        kind, text = "OptionError", str(error)
        if not isinstance(error, OptionError):
            kind, text = name_of(type(error)), f"importing an exception named in retries: {text}"
        raise LoadError(kind, text, file=manifest.file, line=function.line) from error


class _BoundedFile(io.RawIOBase):
    """A raw file that writes the first `most_bytes` to a descriptor and drops the rest."""

    def __init__(self, descriptor: int, most_bytes: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._left = most_bytes

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: Buffer) -> int:
        taken = bytes(data)
        if self._left > 0:
            shown = taken if len(taken) <= self._left else taken[: self._left] + _MARK
            self._left -= len(taken)
            os.write(self._descriptor, shown)
        return len(taken)


def _bound_output() -> None:
    """Limit this process's output from now on.

    It goes to the worker's log, which is for the operator: a file that prints without end must not
    fill it. Output that does not go through `sys.stdout` or `sys.stderr` is dropped.
    """
    shown = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    raw = cast("io.RawIOBase", _BoundedFile(shown, _MOST_OUTPUT_BYTES))
    stream = io.TextIOWrapper(
        io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True
    )
    sys.stdout = sys.stderr = stream
