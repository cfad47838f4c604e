"""`penstock cancel`: end invocations that wait or run."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.command_error import CommandError
from gateway.cli.exit_codes import ExitCode
from gateway.cli.output import print_json
from gateway.cli.several import ask_each
from gateway.cli.system import (
    DataOption,
    JsonOption,
    System,
    UrlOption,
    accept,
    find_system,
    path_to,
)

_TOLD = {
    "requested": "is being cancelled",
    "cooperative": "is asked to stop: it shares a process, and ends when it sees ctx.cancelled",
}


def cancel(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID…]", help="Which invocations.")
    ] = None,
    *,
    batch: Annotated[
        str | None,
        typer.Option("--batch", metavar="ID", help="All of the batch that has not ended."),
    ] = None,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel invocations: at once those that wait, by kill those that run."""
    if bool(ids) == (batch is not None):
        raise CommandError("say which: either ids, or --batch ID", exit_code=ExitCode.USAGE)
    system = find_system(url, data)
    if batch is not None:
        _cancel_batch(system, batch, as_json=as_json)
        return
    answers, code = ask_each(system, "DELETE", ids or (), under="invocations")
    if as_json:
        print_json({"items": answers})
    else:
        for invocation in answers:
            print(invocation["id"], _TOLD.get(invocation["cancellation"], "cancelled"))
    if code:
        raise typer.Exit(code)


def _cancel_batch(system: System, batch: str, *, as_json: bool) -> None:
    answer = accept(system.ask("DELETE", path_to("batches", batch))).json()
    if as_json:
        print_json(answer)
        return
    running = answer["cancelling"]
    print(
        f"{answer['cancelled']:,} cancelled"
        + (f", {running:,} that run are being cancelled" if running else "")
    )
