"""`penstock invoke`: call a function and, with `--wait`, wait for its result.

The result is written to standard output unchanged: text, JSON or bytes (bytes never to a
terminal). A generator's items are printed as they arrive, one per line. After Ctrl-C the
invocation goes on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.call.arguments import read_body
from gateway.cli.call.live_view import LiveView
from gateway.cli.call.options import BodyOption, CallFlags, NameArgument, WordsArgument
from gateway.cli.call.result import PROBLEM, print_failure, print_result
from gateway.cli.client.api_client import System, accept, find_system, path_to
from gateway.cli.client.event_stream import follow
from gateway.cli.client.options import JsonOption, UrlOption
from gateway.cli.errors import ExitCode
from gateway.cli.tables import note, print_json
from penstock.client.event_stream import END


def invoke(  # noqa: PLR0913 - a flag each
    name: NameArgument,
    arguments: WordsArgument = None,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the result and print it.")] = False,
    logs: Annotated[
        bool, typer.Option("--logs", help="Wait, and show its log lines on standard error.")
    ] = False,
    data: BodyOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Wait, and write the result to FILE."),
    ] = None,
    flags: CallFlags,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Call a function."""
    system = find_system(url)
    body, content_type = read_body(system, name, arguments or [], data)
    answer = system.ask(
        "POST",
        path_to("functions", name),
        query=flags.query(),
        body=body,
        headers={"Content-Type": content_type, **flags.headers()},
    )
    invocation = accept(answer).json()
    if answer.headers.get("idempotency-replayed") == "true":
        note("this idempotency key was used before; this is the invocation from that call")
    if not (wait or logs or output):
        _render_accepted(system, invocation, as_json=as_json)
        return
    view = LiveView(name, with_logs=logs, with_items=not (as_json or output))
    invocation = _follow(system, invocation, view)
    if as_json:
        print_json(invocation)
    elif invocation["status"] == "succeeded":
        _print_result(system, invocation, view.items, output)
    if invocation["status"] != "succeeded":
        print_failure(invocation)
        raise typer.Exit(ExitCode.FAILED)


def _follow(system: System, invocation: dict[str, Any], view: LiveView) -> Any:  # noqa: ANN401
    """Show the invocation's events until it ends, and return it."""
    here = invocation["id"]
    try:
        with view:
            for event in follow(system, here):
                view.show(event)
                if event.name == END:
                    invocation = event.value()
    except KeyboardInterrupt:
        note(f"\n{here} goes on; follow it:  {system.hint('logs', here, '-f')}")
        note(f"or cancel it:  {system.hint('cancel', here)}")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    if invocation.get("result_omitted"):
        return system.get(path_to("invocations", here)).json()
    return invocation


def _render_accepted(system: System, invocation: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(invocation)
        return
    print(invocation["id"])
    when = f" for {invocation['scheduled_for']}" if invocation.get("scheduled_for") else ""
    note(f"{invocation['status']}{when}; its result will be at {invocation['links']['result']}")
    note(f"follow it:  {system.hint('logs', invocation['id'], '-f')}")


def _print_result(
    system: System, invocation: dict[str, Any], shown: list[Any], output: Path | None
) -> None:
    if shown and shown == invocation["result"]:  # the generator's items have been printed
        return
    answer = system.ask("GET", invocation["links"]["result"])
    if answer.media_type == PROBLEM:  # any other answer is the function's own, whatever its status
        accept(answer)
    print_result(answer.body, answer.media_type, output)
