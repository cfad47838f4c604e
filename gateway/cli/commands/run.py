"""`penstock run`: run the function of a file once, here and now, without a system.

It runs in a process of its own, as a worker would run it: the same checks of arguments and result,
the same environment variables, the packages that its file names. There are no limits, and nothing
is stored. Its output goes to standard error as it comes, its result to standard output.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from gateway.cli.call.arguments import read_data, write_arguments
from gateway.cli.call.live_view import one_line
from gateway.cli.call.options import BodyOption, WordsArgument
from gateway.cli.call.result import print_failure, print_result
from gateway.cli.client.options import JsonOption
from gateway.cli.errors import CommandError, ExitCode, UsageError, describe_faults
from gateway.cli.tables import note, print_json
from gateway.parsing.arguments import ParsedArguments, RawRequest, read_arguments
from gateway.problems import ProblemError
from runtime.errors import ArgumentsError, UnknownFunctionError
from runtime.execution.outcome import Ending
from runtime.execution.retry_decision import error_json
from runtime.invocations.result import result_view
from runtime.processes.environment import clean_environment
from runtime.registry.argument_check import check_arguments
from runtime.registry.discovery import FoundFile
from runtime.registry.manifest import Manifest
from runtime.sdk.response import decode_response
from runtime.settings import Settings, read_environment, read_settings
from runtime.testing.function_file import choose, read_file, split_name
from runtime.testing.single_run import SingleRun

_ERROR_TYPES = {"retry": "exception", "lost": "worker_lost"}  # the others are named as endings


def run(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE[:NAME]", help="A function file; :NAME if it publishes several functions."
        ),
    ],
    arguments: WordsArgument = None,
    *,
    data: BodyOption = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            "-H",
            metavar="NAME:VALUE",
            help="Header of the request, for functions that take it; may be repeated.",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", metavar="METHOD", help="Method of the request.")
    ] = "POST",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the result to FILE."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the function of a file once, without a system."""
    asked = _Asked(arguments or [], data, header or [], method)
    view = _View(with_items=not (as_json or output))
    try:
        manifest, ending, result = _run(file, asked, view)
    except KeyboardInterrupt:
        note("\npenstock: stopped")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    call = _describe(manifest, ending, result, view)
    if as_json:
        print_json(call)
    elif ending.kind == "succeeded" and not (view.items and view.items == call["result"]):
        content, media_type = result, ending.media_type
        if ending.result_type == "response":
            response = decode_response(result)
            content, media_type = response.body, response.media_type
        print_result(content, media_type, output)
    if ending.kind != "succeeded":
        print_failure(call)
        refused = ending.kind == "arguments_invalid"
        raise typer.Exit(ExitCode.REFUSED if refused else ExitCode.FAILED)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The call as the command line says it."""

    words: list[str]
    data: str | None
    headers: list[str]
    method: str

    def read(self, manifest: Manifest) -> ParsedArguments:
        """Return the arguments and the request, as the gateway reads them.

        Raises:
            CommandError: They are malformed, or do not fit the function.
        """
        headers = dict(map(_header_of, self.headers))
        if self.data is None:
            body, media_type = write_arguments(self.words, manifest.parameters)
        else:
            body, media_type = read_data(self.words, self.data)
        media_type = headers.setdefault("content-type", media_type)
        incoming = RawRequest(
            method=self.method.upper(),
            path="/",
            query="",
            headers=[(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()],
            content_type=media_type,
            body=body,
            shows_authorization=True,
        )
        try:
            parsed = read_arguments(manifest, incoming)
            check_arguments(manifest, parsed.decoded)
        except ProblemError as error:
            text = f"{error.detail} ({error.code})"
            raise CommandError(text, exit_code=ExitCode.REFUSED) from None
        except ArgumentsError as error:
            raise CommandError(describe_faults(error), exit_code=ExitCode.REFUSED) from None
        return parsed


@dataclass(slots=True)
class _View:
    """Shows what the function reports: items on standard output, the rest on standard error."""

    with_items: bool
    items: list[Any] = field(default_factory=list)  # those that were shown
    progress: Any = None

    def show(self, kind: bytes, payload: bytes) -> None:
        """Show one report."""
        value = json.loads(payload)
        if kind == b"progress":
            self.progress = value
            of = "" if value["total"] is None else f"/{value['total']}"
            note(f"progress: {value['done']}{of} {value['message']}".rstrip())
        elif kind == b"event":
            note(f"event: {one_line(value)}")
        elif kind == b"item" and self.with_items:
            self.items.append(value)
            print(value if isinstance(value, str) else one_line(value), flush=True)


def _run(written: str, asked: _Asked, view: _View) -> tuple[Manifest, Ending, bytes]:
    path, wanted = split_name(written)
    settings = read_settings()
    try:
        found, bundle = read_file(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    variables = clean_environment(read_environment(), settings.function_env)
    with (
        _environment_of(found, settings) as program,
        SingleRun(program=program, environment=variables) as process,
    ):
        manifests = process.load(bundle)
        try:
            name = choose(manifests, wanted, str(path))
        except UnknownFunctionError as error:
            raise CommandError(str(error), exit_code=ExitCode.REFUSED) from None
        parsed = asked.read(manifests[name])
        ending, result = process.call(name, parsed.encoded, parsed.request, view.show)
    return manifests[name], ending, result


def _environment_of(found: FoundFile, settings: Settings) -> AbstractContextManager[str]:
    """Return what provides the interpreter of a file; "" is our own."""
    if found.needs is None:
        return nullcontext("")
    from runtime.logs import configure_logs  # noqa: PLC0415 - files with packages need it
    from runtime.testing.packages import environment_for  # noqa: PLC0415 - as above

    configure_logs("warning", settings.log_format)
    return environment_for(found, settings, note)


def _describe(manifest: Manifest, ending: Ending, result: bytes, view: _View) -> dict[str, Any]:
    """Return the call with the members that an invocation has."""
    call: dict[str, Any] = {"function": manifest.name, "progress": view.progress}
    if ending.kind == "succeeded":
        shown = json.loads(msgspec.json.encode(result_view(ending.result_type, result)))
        return {**call, "status": "succeeded", "result": shown, "error": None}
    status = "retrying" if ending.kind == "retry" else "failed"
    error = json.loads(error_json(_ERROR_TYPES.get(ending.kind, ending.kind), ending))
    return {**call, "status": status, "result": None, "error": error}


def _header_of(written: str) -> tuple[str, str]:
    name, sign, value = written.partition(":")
    if not sign or not name.strip() or not (written.isascii() and written.isprintable()):
        raise UsageError(f"{written!r} is not a header; write NAME:VALUE")
    return name.strip().lower(), value.strip()
