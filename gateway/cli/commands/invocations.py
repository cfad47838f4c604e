"""`penstock invocations`: list invocations, newest first."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import Query, path_to
from gateway.cli.client.lists import USUAL_LIMIT, LimitOption, read_items, read_list
from gateway.cli.client.options import ApiOptions
from gateway.cli.errors import UsageError, describe_failure
from gateway.cli.tables import format_duration, format_relative, print_list

_COLUMNS = ("invocation", "function", "status", "created", "took", "attempt", "tags", "")
_LONGEST_CELL = 60

IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ID…]", help="Ids of invocations.")
]
FunctionOption = Annotated[
    str | None, typer.Option("--function", "-f", metavar="NAME", help="Only of this function.")
]
BatchOption = Annotated[
    str | None, typer.Option("--batch", metavar="ID", help="Only of this batch.")
]
TagOption = Annotated[str | None, typer.Option("--tag", metavar="TEXT", help="Only with this tag.")]
StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        metavar="STATUS",
        help="Only with this status: scheduled, queued, running, retrying, succeeded, failed, "
        "cancelled or expired. Give several with commas, or repeat the option.",
    ),
]


def read_statuses(texts: list[str] | None) -> list[str]:
    """Return the statuses of an option that may be repeated and may contain commas."""
    return [status for text in texts or () for status in text.split(",")]


def filter_query(function: str | None, tag: str | None, statuses: list[str] | None) -> Query:
    """Return the query parameters that select invocations."""
    filters = {"function": function, "tag": tag}
    given = [(name, value) for name, value in filters.items() if value is not None]
    return [*given, *(("status", status) for status in read_statuses(statuses))]


def invocations(
    *,
    function: FunctionOption = None,
    status: StatusOption = None,
    tag: TagOption = None,
    batch: BatchOption = None,
    limit: LimitOption = USUAL_LIMIT,
    ids: Annotated[bool, typer.Option("--ids", help="Print only the ids, one per line.")] = False,
    api: ApiOptions,
) -> None:
    """List invocations, newest first; those of a batch in the batch's order."""
    system = api.find_system()
    if batch is not None:
        if function is not None or tag is not None:
            raise UsageError("--batch can be combined with --status only")
        members = read_items(system, path_to("batches", batch))
        wanted = set(read_statuses(status))
        found = list(islice((m for m in members if not wanted or m["status"] in wanted), limit))
    else:
        query = filter_query(function, tag, status)
        found = read_list(system, "/invocations", query, limit)
    if ids and not api.as_json:
        for item in found:
            print(item["id"])
        return
    print_list(found, _COLUMNS, _row, none="No such invocations.", as_json=api.as_json)


def _row(item: dict[str, Any], now: datetime) -> tuple[object, ...]:
    return (
        item["id"],
        item["function"],
        item["status"],
        format_relative(item["created_at"], now),
        format_duration(item.get("duration_ms")),
        item.get("attempt") or "",
        ", ".join(item.get("tags") or ()),
        _remark(item, now),
    )


def _remark(item: dict[str, Any], now: datetime) -> str:
    """Return one more fact: its error, when it is due, or its progress."""
    if error := item.get("error"):
        text = describe_failure(error)
    elif item["status"] in {"scheduled", "retrying"}:
        text = format_relative(item.get("scheduled_for"), now)
    elif item["status"] == "running" and (progress := item.get("progress")):
        text = f"{progress.get('done')} of {progress.get('total') or '?'}"
    else:
        text = ""
    first_line = text.partition("\n")[0]
    return first_line if len(first_line) <= _LONGEST_CELL else first_line[: _LONGEST_CELL - 1] + "…"
