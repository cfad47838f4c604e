"""Long lists, page after page by their cursors: reading one, or doing something to all in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import Query, System, accept, path_to
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.tables import note

LARGEST_PAGE = 100  # of a list of invocations; one of deliveries may be longer
USUAL_LIMIT = 20

LimitOption = Annotated[
    int, typer.Option("--limit", "-n", metavar="N", min=1, help="Most to list.")
]


def read_list(system: System, path: str, query: Query, most: int) -> list[dict[str, Any]]:
    """Return up to `most` items of the list at `path`."""
    return list(islice(read_items(system, path, query, min(most, LARGEST_PAGE)), most))


def read_items(
    system: System, path: str, query: Query = (), size: int = LARGEST_PAGE
) -> Iterator[dict[str, Any]]:
    """Yield the items of the list at `path`, asking for the next page when it is needed."""
    asked = [*query, ("limit", str(size))]
    cursor: list[tuple[str, str]] = []
    while True:
        page = system.get(path, [*asked, *cursor]).json()
        yield from page["items"]
        if not page.get("next"):
            return
        cursor = [("cursor", page["next"])]


def count_matches(system: System, path: str, query: Query) -> str:
    """Return in words how many a bulk route would do its work on."""
    found = system.get(path, query).json()
    return f"{found['count']:,}{' or more' if found['more'] else ''}"


def sweep(system: System, path: str, query: Query, done: dict[str, int]) -> None:
    """Have a bulk route do its work on all, as many at a time as it takes; count in `done`."""
    cursor: list[tuple[str, str]] = []
    while True:
        answer = accept(system.ask("POST", path, query=[*query, *cursor])).json()
        for name in done:
            done[name] += answer[name]
        if not answer["next"]:
            return
        cursor = [("cursor", answer["next"])]


def ask_each(
    system: System,
    method: str,
    ids: Sequence[str],
    *,
    under: str,
    verb: str = "",
    body: bytes | None = None,
) -> tuple[list[dict[str, Any]], ExitCode]:
    """Ask for every id at `/<under>/<id>[/<verb>]`; return the answers and the exit code.

    Of an answer without content the id is returned.

    Raises:
        CommandError: Nobody answers.
    """
    answers = []
    headers = {"Content-Type": "application/json"} if body else {}
    code = ExitCode.OK
    for one in dict.fromkeys(ids):
        path = path_to(under, one, verb) if verb else path_to(under, one)
        try:
            answer = accept(system.ask(method, path, body=body, headers=headers))
            answers.append(answer.json() if answer.body else {"id": one})
        except CommandError as error:
            if error.exit_code != ExitCode.REFUSED:
                raise
            note(f"penstock: {one}: {error}")
            code = ExitCode.REFUSED
    return answers, code
