"""Complete a manifest: read the docstring, and check the schemas and the schedule.

It runs in a child process of Penstock's own environment, as a schema may be anything: the process
that has loaded the file, or, if the function has packages of its own, another one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import msgspec
from cronsim import CronSim, CronSimError

from runtime.errors import LoadError
from runtime.processes.channel import Channel
from runtime.registry.argument_check import compile_schema
from runtime.registry.described import Described
from runtime.registry.docstrings import read_docstring
from runtime.registry.manifest import Manifest, fault_of

_ANY_WALL_CLOCK = datetime(2000, 1, 1)  # noqa: DTZ001 - only the calendar matters
_decode = msgspec.json.Decoder(list[Described]).decode


def complete_all(channel: Channel) -> None:
    """Receive what another process has described, and answer "complete" or "failed" once."""
    try:
        manifests = [complete(each) for each in _decode(channel.receive()[0])]
        answer = (b"complete", msgspec.json.encode(manifests))
    except LoadError as error:
        answer = (b"failed", json.dumps(asdict(fault_of(error))).encode())
    channel.send(*answer)


def complete(described: Described) -> Manifest:
    """Return the manifest to publish.

    Raises:
        LoadError: Its schedule or its schemas cannot work.
    """
    manifest, line = with_documentation(described.manifest, described.docstring), described.line
    try:
        compile_schema(manifest.validation_schema)
        # Patterns in Python's dialect may be published: nothing validates by this schema then.
        if manifest.judged_by is not None:
            compile_schema(_without_patterns(manifest.parameters))
    except ValueError as error:
        text = f"{manifest.name}: {str(error).partition(chr(10))[0]}"
        raise LoadError("SchemaError", text, file=manifest.file, line=line) from error
    try:
        _check_schedule(manifest)
    except ValueError as error:
        text = f"{manifest.name}: {error}"
        raise LoadError("OptionError", text, file=manifest.file, line=line) from error
    return manifest


def with_documentation(manifest: Manifest, docstring: str | None) -> Manifest:
    """Return a manifest with what the function's docstring says."""
    documentation = read_docstring(docstring)
    properties = manifest.parameters.get("properties", {})
    for name, text in documentation.parameters.items():
        if name in properties:
            properties[name].setdefault("description", text)
    return replace(
        manifest,
        summary=documentation.summary,
        description=documentation.description,
        returns_description=documentation.returns,
    )


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


def _check_schedule(manifest: Manifest) -> None:
    """Return if the function has no schedule, or one that can invoke it.

    Raises:
        ValueError: The schedule cannot invoke it; the text names the option and the reason.
    """
    line = manifest.options.schedule
    if line is None:
        return
    option = f"@function(schedule={line!r})"
    try:
        comes = next(CronSim(line, _ANY_WALL_CLOCK), None) is not None
    except CronSimError as error:
        raise ValueError(f"{option}: {error}") from error
    if not comes:
        raise ValueError(f"{option}: there is no such day")
    if manifest.takes_request:
        raise ValueError(
            f"{option}: a schedule has no Request to pass to {manifest.name}; remove the parameter"
        )
    required = manifest.parameters.get("required", [])
    if required:
        names = ", ".join(required)
        raise ValueError(
            f"{option}: a schedule passes no arguments, so these parameters need a default: "
            f"{names}; or create a schedule with arguments by POST /schedules"
        )
