"""`penstock retry`: invoke again with the same arguments: by ids, by filter, or a whole batch."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import Query, System, path_to
from gateway.cli.client.lists import ask_each, count_matches, sweep
from gateway.cli.client.options import ApiOptions
from gateway.cli.command_group import YesOption, confirm
from gateway.cli.commands.invocations import (
    BatchOption,
    FunctionOption,
    IdsArgument,
    TagOption,
    filter_query,
    read_statuses,
)
from gateway.cli.errors import UsageError
from gateway.cli.tables import note, print_json


def retry(
    ids: IdsArgument = None,
    *,
    function: FunctionOption = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="All with this status: failed (the default), cancelled, expired or succeeded. "
            "Give several with commas, or repeat the option.",
        ),
    ] = None,
    tag: TagOption = None,
    batch: BatchOption = None,
    yes: YesOption = False,
    api: ApiOptions,
) -> None:
    """Invoke again with the same arguments."""
    by_filter = not (function is None and not status and batch is None)
    is_of_two = batch is not None and (function is not None or tag is not None)
    if bool(ids) == by_filter or is_of_two or (ids and tag is not None):
        raise UsageError(
            "give either ids, or --batch ID, or --function NAME and/or --status STATUS; "
            "--status also goes with --batch, and --tag TEXT with --function or --status"
        )
    system = api.find_system()
    if ids:
        answers, code = ask_each(system, "POST", ids, under="invocations", verb="retry")
        _report(answers, as_json=api.as_json)
        if code:
            raise typer.Exit(code)
        return
    statuses = read_statuses(status) or ["failed"]
    query = filter_query(function or None, tag or None, statuses)
    if not yes:
        confirm(_question(system, query, statuses, batch), yes=False)
    path = "/invocations/retry" if batch is None else path_to("batches", batch, "retry")
    _retry_all(system, path, query, as_json=api.as_json)


def _report(answers: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({"items": answers})
        return
    for invocation in answers:
        print(invocation["id"])
        note(f"retry of {invocation['retry_of']}, {invocation['status']}")


def _question(system: System, query: Query, statuses: list[str], batch: str | None) -> str:
    """Return the question to confirm, with the number of invocations."""
    if batch is not None:
        counts = system.get(path_to("batches", batch)).json()["counts"]
        many = ", ".join(f"{counts.get(one, 0):,} {one}" for one in dict.fromkeys(statuses))
        return f"Invoke {many} invocations again, except those already retried?"
    matching = count_matches(system, "/invocations/retry", query)
    return f"Invoke {matching} invocations again?"


def _retry_all(system: System, path: str, query: Query, *, as_json: bool) -> None:
    done = {"count": 0, "skipped": 0}
    try:
        sweep(system, path, query, done)
    finally:
        if as_json:
            print_json(done)
        else:
            print(f"{done['count']:,} invoked again")
            if done["skipped"]:
                note(
                    f"{done['skipped']:,} skipped: their arguments are no longer valid, or the "
                    "function is gone or needs a key"
                )
