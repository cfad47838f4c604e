"""Long lists, page after page by their cursors: reading one, or doing something to all in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import Query, System, accept

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
