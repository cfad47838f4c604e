"""Long lists and bulk requests of the API.

Lists are read page by page with their cursors. A bulk route is called until nothing is left
(`sweep`), and something can be done with each of several ids (`act_on_each`, `ask_each`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import JSON_BODY, Query, System, accept, path_to
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.tables import note, print_json

LARGEST_PAGE = 100  # the gateway's limit for invocations; its limit for deliveries is higher
USUAL_LIMIT = 20

LimitOption = Annotated[
    int, typer.Option("--limit", "-n", metavar="N", min=1, help="Maximum number to list.")
]


def read_list(system: System, path: str, query: Query, most: int) -> list[dict[str, Any]]:
    """Return up to `most` items of the list at `path`."""
    return list(islice(read_items(system, path, query, min(most, LARGEST_PAGE)), most))


def read_items(
    system: System, path: str, query: Query = (), size: int = LARGEST_PAGE
) -> Iterator[dict[str, Any]]:
    """Yield the items of the list at `path`; each page is requested when it is needed."""
    asked = [*query, ("limit", str(size))]
    cursor: list[tuple[str, str]] = []
    while True:
        page = system.get(path, [*asked, *cursor]).json()
        yield from page["items"]
        if not page.get("next"):
            return
        cursor = [("cursor", page["next"])]


def count_matches(system: System, path: str, query: Query) -> str:
    """Return, as text, how many items a bulk route would act on."""
    found = system.get(path, query).json()
    return f"{found['count']:,}{' or more' if found['more'] else ''}"


def sweep(system: System, path: str, query: Query, done: dict[str, int]) -> None:
    """Call a bulk route until nothing is left to do; add its counts to those in `done`."""
    cursor: list[tuple[str, str]] = []
    while True:
        answer = system.send("POST", path, query=[*query, *cursor])
        for name in done:
            done[name] += answer[name]
        if not answer["next"]:
            return
        cursor = [("cursor", answer["next"])]


def act_on_each(
    ids: Iterable[str], act: Callable[[str], dict[str, Any]]
) -> tuple[list[dict[str, Any]], ExitCode]:
    """Call `act` with every id; return its answers and the exit code.

    A refused id is reported on standard error and makes the exit code REFUSED.

    Raises:
        CommandError: The system does not answer.
    """
    answers = []
    code = ExitCode.OK
    for one in dict.fromkeys(ids):
        try:
            answers.append(act(one))
        except CommandError as error:
            if error.exit_code != ExitCode.REFUSED:
                raise
            note(f"penstock: {one}: {error}")
            code = ExitCode.REFUSED
    return answers, code


def ask_each(
    system: System,
    method: str,
    ids: Iterable[str],
    *,
    under: str,
    verb: str = "",
    body: bytes | None = None,
) -> tuple[list[dict[str, Any]], ExitCode]:
    """Send a request to `/<under>/<id>[/<verb>]` for every id, as `act_on_each` does.

    For an answer without a body, `{"id": …}` is returned.
    """
    headers = JSON_BODY if body else {}

    def ask(one: str) -> dict[str, Any]:
        path = path_to(under, one, *filter(None, [verb]))
        answer = accept(system.ask(method, path, body=body, headers=headers))
        return answer.json() if answer.body else {"id": one}

    return act_on_each(ids, ask)


def report_each(
    answered: tuple[list[dict[str, Any]], ExitCode],
    line: Callable[[dict[str, Any]], str],
    *,
    as_json: bool,
) -> None:
    """Print the answers of `act_on_each`, each on a line, and exit if its code is not OK."""
    answers, code = answered
    if as_json:
        print_json({"items": answers})
    else:
        for answer in answers:
            print(line(answer))
    if code:
        raise typer.Exit(code)
