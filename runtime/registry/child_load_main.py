"""The child's side of `child_load`: load one bundle and answer once.

The answer is "loaded" with the manifests, or "failed" with the fields of a LoadError. If there is
no answer, the file has ended or crashed this process.
"""

from __future__ import annotations

import faulthandler
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from runtime.errors import LoadError, OptionError
from runtime.processes.channel import Channel
from runtime.processes.child_limits import memory_taken
from runtime.registry.argument_check import compile_schema
from runtime.registry.bundle import decode_bundle
from runtime.registry.load_output import bound_output
from runtime.registry.loaded_function import LoadedFunction
from runtime.registry.loading import load
from runtime.registry.manifest import Manifest
from runtime.registry.own_schedule import check_schedule
from runtime.registry.retried_exceptions import resolve
from runtime.sdk.exception_names import PUBLIC_NAMESPACE, name_of
from runtime.sdk.options import RetryPolicy, written_size


def inspect_bundle(channel: Channel) -> None:
    """Receive a bundle, load it and answer; exceptions of the file become a "failed" answer."""
    bound_output()
    encoded, deadline_s, trace_path = channel.receive()
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
            manifests = [_checked(function, module, taken_bytes) for function in functions.values()]
            answer = (b"loaded", msgspec.json.encode(manifests))
        except LoadError as error:
            fault = {
                "kind": error.kind,
                "message": error.message,
                "file": error.file,
                "line": error.line,
            }
            answer = (b"failed", json.dumps(fault).encode())
        except (TypeError, ValueError, OverflowError) as error:  # while encoding the manifests
            text = f"a function's manifest cannot be written as JSON: {error}"
            fault = {"kind": "SchemaError", "message": text, "file": bundle.file, "line": None}
            answer = (b"failed", json.dumps(fault).encode())
        faulthandler.cancel_dump_traceback_later()
        channel.send(*answer)


def _without_patterns(schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(schema, list):
        return [_without_patterns(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_patterns(part)
        for key, part in schema.items()
        if not (key == "pattern" and isinstance(part, str)) and key != "patternProperties"
    }


def _checked(function: LoadedFunction, module: ModuleType, taken_bytes: int) -> Manifest:
    """Return the manifest to publish; raise LoadError if its options or schemas cannot work."""
    manifest = function.manifest
    options = manifest.options
    if options.isolation == "process" and taken_bytes > options.memory_bytes:
        text = (
            f'{manifest.name}: memory="{written_size(options.memory_bytes)}" is too little: the '
            f"process uses {written_size(taken_bytes, like=options.memory_bytes)} when the file "
            "has loaded"
        )
        raise LoadError("out_of_memory", text, file=manifest.file, line=function.line)
    try:
        compile_schema(manifest.validation_schema)
        # Patterns in Python's dialect may be published: nothing validates by this schema then.
        if manifest.judged_by is not None:
            compile_schema(_without_patterns(manifest.parameters))
    except ValueError as error:
        text = f"{manifest.name}: {str(error).partition(chr(10))[0]}"
        raise LoadError("SchemaError", text, file=manifest.file, line=function.line) from error
    try:
        check_schedule(manifest)
    except ValueError as error:
        text = f"{manifest.name}: {error}"
        raise LoadError("OptionError", text, file=manifest.file, line=function.line) from error
    return replace(manifest, options=replace(options, retry=_retry_of(function, module)))


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
