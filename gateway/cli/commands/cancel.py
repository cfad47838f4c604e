"""`penstock cancel`: cancel invocations that wait or run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import (
    DataOption,
    JsonOption,
    UrlOption,
    accept,
    find_system,
    path_to,
)
from gateway.cli.client.lists import ask_each, count_matches, sweep
from gateway.cli.command_group import YesOption, confirm
from gateway.cli.commands.invocations import FunctionOption, TagOption, read_statuses
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.tables import print_json

_BULK = "/invocations/cancel"
_MESSAGES = {
    "requested": "is being cancelled",
    "cooperative": "was asked to stop: it shares its process, so it ends when it checks "
    "ctx.cancelled",
}


def cancel(  # noqa: PLR0913 - a flag each
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID…]", help="Ids of invocations.")
    ] = None,
    *,
    function: FunctionOption = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="All with this status: scheduled, queued, running or retrying. Give several with "
            "commas, or repeat the option.",
        ),
    ] = None,
    tag: TagOption = None,
    batch: Annotated[
        str | None,
        typer.Option("--batch", metavar="ID", help="All unfinished invocations of this batch."),
    ] = None,
    yes: YesOption = False,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel invocations: waiting ones at once; for running ones, their runner is killed."""
    by_filter = function is not None or bool(status)
    if bool(ids) + (batch is not None) + by_filter != 1 or (tag is not None and not by_filter):
        raise CommandError(
            "give either ids, or --batch ID, or --function NAME and/or --status STATUS; "
            "--tag TEXT needs --function or --status",
            exit_code=ExitCode.USAGE,
        )
    system = find_system(url, data)
    if batch is not None:
        _report(accept(system.ask("DELETE", path_to("batches", batch))).json(), as_json=as_json)
        return
    if by_filter:
        wanted = {"function": function, "tag": tag}
        query = [(name, value) for name, value in wanted.items() if value is not None]
        query += [("status", one) for one in read_statuses(status)]
        if not yes:
            confirm(f"Cancel {count_matches(system, _BULK, query)} invocations?", yes=False)
        done = {"cancelled": 0, "cancelling": 0}
        try:
            sweep(system, _BULK, query, done)
        finally:
            _report(done, as_json=as_json)
        return
    answers, code = ask_each(system, "DELETE", ids or (), under="invocations")
    if as_json:
        print_json({"items": answers})
    else:
        for invocation in answers:
            print(invocation["id"], _MESSAGES.get(invocation["cancellation"], "cancelled"))
    if code:
        raise typer.Exit(code)


def _report(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    running = answer["cancelling"]
    print(
        f"{answer['cancelled']:,} cancelled"
        + (f", {running:,} running ones are being cancelled" if running else "")
    )
