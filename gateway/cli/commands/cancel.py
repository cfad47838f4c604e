"""`penstock cancel`: cancel invocations that wait or run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import path_to
from gateway.cli.client.lists import ask_each, count_matches, report_each, sweep
from gateway.cli.client.options import ApiOptions
from gateway.cli.command_group import YesOption, confirm
from gateway.cli.commands.invocations import FunctionOption, IdsArgument, TagOption, filter_query
from gateway.cli.errors import UsageError
from gateway.cli.tables import print_json

_BULK = "/invocations/cancel"
_MESSAGES = {
    "requested": "is being cancelled",
    "cooperative": "was asked to stop: it shares its process, so it ends when it checks "
    "ctx.cancelled",
}


def cancel(
    ids: IdsArgument = None,
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
    api: ApiOptions,
) -> None:
    """Cancel invocations: waiting ones at once; for running ones, their runner is killed."""
    by_filter = function is not None or bool(status)
    if bool(ids) + (batch is not None) + by_filter != 1 or (tag is not None and not by_filter):
        raise UsageError(
            "give either ids, or --batch ID, or --function NAME and/or --status STATUS; "
            "--tag TEXT needs --function or --status"
        )
    system = api.find_system()
    if batch is not None:
        _report(system.send("DELETE", path_to("batches", batch)), as_json=api.as_json)
        return
    if by_filter:
        query = filter_query(function, tag, status)
        if not yes:
            confirm(f"Cancel {count_matches(system, _BULK, query)} invocations?", yes=False)
        done = {"cancelled": 0, "cancelling": 0}
        try:
            sweep(system, _BULK, query, done)
        finally:
            _report(done, as_json=api.as_json)
        return
    report_each(
        ask_each(system, "DELETE", ids or (), under="invocations"),
        lambda one: f"{one['id']} {_MESSAGES.get(one['cancellation'], 'cancelled')}",
        as_json=api.as_json,
    )


def _report(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    running = answer["cancelling"]
    print(
        f"{answer['cancelled']:,} cancelled"
        + (f", {running:,} running ones are being cancelled" if running else "")
    )
