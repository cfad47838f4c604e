"""Long lists and bulk requests of the API.

Lists are read page by page with their cursors. A bulk route is called until nothing is left
(`sweep`), and a request can be sent for each of several ids (`ask_each`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import Query, System, accept, path_to
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.tables import note

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
    """Send a request to `/<under>/<id>[/<verb>]` for every id; return answers and exit code.

    For an answer without a body, `{"id": …}` is returned. A refused id is reported on standard
    error and makes the exit code REFUSED.

    Raises:
        CommandError: The system does not answer.
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
