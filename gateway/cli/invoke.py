"""`penstock invoke`: call a function, and with `--wait` print its result.

The result goes to standard output as it is: text as text, JSON as JSON, bytes as
bytes (into a file when standard output is a terminal).
"""

from __future__ import annotations

import json
import mimetypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gateway.cli.arguments import parse_arguments, read_file
from gateway.cli.command_error import CommandError
from gateway.cli.exit_codes import ExitCode
from gateway.cli.output import note, print_json, print_value
from gateway.cli.system import Answer, JsonOption, System, UrlOption, accept, find_system

_LONGEST_WAIT_S = 60
_JSON = "application/json"
_FINISHED = {"succeeded", "failed", "cancelled", "expired"}


def invoke(
    name: Annotated[str, typer.Argument(help="Which function.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="key=value…", help="Arguments; key=@file for a file's content."),
    ] = None,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the result and print it.")] = False,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="JSON|@FILE",
            help="The whole body instead of arguments; @- is standard input. A file that is not "
            "JSON is sent as it is.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the result there."),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Call a function."""
    system = find_system(url)
    body, content_type = _body(system, name, arguments or [], data)
    headers = {"Content-Type": content_type}
    if not wait and output is None:
        invocation = accept(_post(system, name, body, headers)).json()
        _tell_accepted(invocation, as_json=as_json)
        return
    invocation = _call_and_wait(system, name, body, headers)
    if as_json:
        print_json(invocation)
    elif invocation["status"] == "succeeded":
        _print_result(system.get(invocation["links"]["result"]), output)
    if invocation["status"] != "succeeded":
        _tell_failure(invocation)
        raise typer.Exit(ExitCode.FAILED)


def _body(system: System, name: str, words: list[str], data: str | None) -> tuple[bytes, str]:
    """Return the body to send and its media type."""
    if data is None:
        parameters = system.get(f"/functions/{name}").json().get("parameters") or {}
        return json.dumps(parse_arguments(words, parameters)).encode(), _JSON
    if words:
        raise CommandError(
            "give either key=value arguments or --data, not both", exit_code=ExitCode.USAGE
        )
    if not data.startswith("@"):
        return data.encode(), _JSON
    content = read_file(data[1:])
    guessed = mimetypes.guess_type(data[1:])[0]
    if guessed in {None, _JSON} and _is_json(content):
        return content, _JSON
    return content, guessed or "application/octet-stream"


def _post(system: System, name: str, body: bytes, headers: dict[str, str]) -> Answer:
    return system.ask("POST", f"/functions/{name}", body=body, headers=headers)


def _call_and_wait(system: System, name: str, body: bytes, headers: dict[str, str]) -> Any:  # noqa: ANN401
    """Return the finished invocation."""
    wish = {"Prefer": f"wait={_LONGEST_WAIT_S}"}
    with _spinner(f"waiting for {name}"):
        answer = _post(system, name, body, headers | wish)
        invocation = _invocation_in(answer)
        while invocation["status"] not in _FINISHED:
            here = invocation["links"]["self"]
            invocation = _invocation_in(system.ask("GET", here, headers=wish))
    return invocation


def _invocation_in(answer: Answer) -> Any:  # noqa: ANN401
    """Return the invocation of an answer; a problem may carry one, too."""
    try:
        value = json.loads(answer.body)
    except ValueError:
        value = None
    if isinstance(value, dict) and isinstance(value.get("invocation"), dict):
        return value["invocation"]
    return accept(answer).json()


def _tell_accepted(invocation: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(invocation)
        return
    print(invocation["id"])
    note(f"{invocation['status']}; its result will be at {invocation['links']['result']}")


def _tell_failure(invocation: dict[str, Any]) -> None:
    error = invocation.get("error") or {}
    if error.get("traceback"):
        note(str(error["traceback"]).rstrip())
    said = f": {error.get('type')}: {error.get('message')}" if error else ""
    note(f"penstock: {invocation['function']} {invocation['status']}{said}")


def _print_result(answer: Answer, output: Path | None) -> None:
    if output is not None:
        output.write_bytes(answer.body)
        note(f"{len(answer.body)} bytes of {answer.media_type} in {output}")
    elif answer.media_type == _JSON:
        print_value(json.loads(answer.body))
    elif sys.stdout.isatty():
        note(f"{len(answer.body)} bytes of {answer.media_type}: say where to with --output FILE")
    else:
        sys.stdout.buffer.write(answer.body)
        sys.stdout.buffer.flush()


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


@contextmanager
def _spinner(text: str) -> Iterator[None]:
    """Show a person that something goes on; nothing where nobody looks."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
