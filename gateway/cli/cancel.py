"""`penstock cancel`: end invocations that wait or run."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.output import print_json
from gateway.cli.several import ask_each
from gateway.cli.system import DataOption, JsonOption, UrlOption, find_system

_TOLD = {
    "requested": "is being cancelled",
    "cooperative": "is asked to stop: it shares a process, and ends when it sees ctx.cancelled",
}


def cancel(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Which invocations.")],
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel invocations: at once those that wait, by kill those that run."""
    system = find_system(url, data)
    answers, code = ask_each(system, "DELETE", ids, under="invocations")
    if as_json:
        print_json({"items": answers})
    else:
        for invocation in answers:
            print(invocation["id"], _TOLD.get(invocation["cancellation"], "cancelled"))
    if code:
        raise typer.Exit(code)
