"""`penstock logs`: show what an invocation has printed and logged.

With `-f`, output is shown as it arrives until the invocation ends; a lost connection is opened
again.
"""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from gateway.cli.call.result import print_failure
from gateway.cli.client.api_client import System, path_to
from gateway.cli.client.event_stream import follow
from gateway.cli.client.options import ApiOptions
from gateway.cli.errors import UsageError
from gateway.cli.tables import note, print_json
from penstock.client.event_stream import END, StreamedEvent


def logs(
    invocation_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the invocation.")],
    *,
    is_following: Annotated[
        bool, typer.Option("--follow", "-f", help="Follow the output until the invocation ends.")
    ] = False,
    attempt: Annotated[
        int | None, typer.Option("--attempt", metavar="N", min=1, help="Only of attempt N.")
    ] = None,
    api: ApiOptions,
) -> None:
    """Show what an invocation has printed and logged, in all its attempts."""
    if is_following and attempt is not None:
        raise UsageError("give --follow or --attempt N, not both: --follow shows all attempts")
    system = api.find_system()
    if is_following:
        for event in follow(system, invocation_id):
            _show_event(event) if api.as_json else _show(event)
        return
    query = [] if attempt is None else [("attempt", str(attempt))]
    output = system.get(path_to("invocations", invocation_id, "logs"), query).body
    if api.as_json:
        print_json({"invocation": invocation_id, "logs": output.decode(errors="replace")})
        return
    sys.stdout.buffer.write(output)
    sys.stdout.buffer.flush()
    if not output:
        _explain_silence(system, invocation_id)


def _explain_silence(system: System, invocation_id: str) -> None:
    """Report that nothing was printed, and how to look for an error."""
    status = system.get(path_to("invocations", invocation_id)).json()["status"]
    said = f"nothing was printed, and it {status}" if status == "failed" else ""
    note(f"penstock: {said or f'nothing was printed so far; it is {status}'}")
    if status not in {"succeeded", "queued", "scheduled"}:
        note(f"see:  {system.hint('show', invocation_id)}")


def _show(event: StreamedEvent) -> None:
    if event.name == "log":
        sys.stdout.write(event.value())
        sys.stdout.flush()
    elif event.name == "status":
        value = event.value()
        if value.get("status") == "retrying":
            note(f"attempt {value.get('attempt')} failed: {_print_error(value.get('error'))}")
    elif event.name == END and (invocation := event.value())["status"] != "succeeded":
        print_failure(invocation)


def _show_event(event: StreamedEvent) -> None:
    """Print an event as JSON on one line."""
    line = {"id": event.id, "event": event.name, "data": event.value()}
    print(json.dumps(line, ensure_ascii=False), flush=True)


def _print_error(error: Any) -> str:  # noqa: ANN401 - any JSON
    return f"{error.get('type')}: {error.get('message')}" if isinstance(error, dict) else "unknown"
