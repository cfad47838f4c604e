"""The options of a call as flags of `invoke` and `batch`.

Each flag is a query parameter or a header of the API. Its value is sent as typed, so that only
the gateway checks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from gateway.cli.client.api_client import Query
from gateway.cli.errors import UsageError

NameArgument = Annotated[str, typer.Argument(help="Name of the function.")]
WordsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="key=value…", help="Arguments; key=@FILE sends a file's content."),
]
BodyOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="JSON|@FILE",
        help="Request body instead of arguments; @- for standard input. A file that is not JSON "
        "is sent as it is.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFlags:
    """The flags of a call, as one group (`gateway.cli.option_groups`)."""

    delay: Annotated[
        str | None,
        typer.Option("--delay", metavar="DURATION", help="Wait before it starts: 30s, 5m, 2h, 7d."),
    ] = None
    run_at: Annotated[
        str | None,
        typer.Option(
            "--run-at", metavar="TIME", help="Start at this time: 2026-11-22T09:30:00+01:00."
        ),
    ] = None
    priority: Annotated[
        int | None,
        typer.Option("--priority", metavar="0-9", min=0, max=9, help="Higher runs first."),
    ] = None
    key: Annotated[
        str | None,
        typer.Option(
            "--key", metavar="TEXT", help="Fairness key: a function's keys take turns in its queue."
        ),
    ] = None
    max_age: Annotated[
        str | None,
        typer.Option(
            "--max-age", metavar="DURATION", help="Expire if it has not started after this time."
        ),
    ] = None
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TEXT", help="Tag to find it by later; may be repeated."),
    ] = None
    callback: Annotated[
        str | None,
        typer.Option("--callback", metavar="URL", help="Send the result to this URL, signed."),
    ] = None
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            "--idempotency-key",
            metavar="TEXT",
            help="A repeated call with the same key does not invoke again.",
        ),
    ] = None

    def query(self) -> Query:
        """Return the query parameters."""
        single = ("delay", "run_at", "priority", "key", "max_age")
        values = {name: getattr(self, name) for name in single}
        given = [(name, str(value)) for name, value in values.items() if value is not None]
        return [*given, *(("tag", tag) for tag in self.tag or ())]

    def headers(self) -> dict[str, str]:
        """Return the headers.

        Raises:
            CommandError: A value has characters that a header cannot carry.
        """
        headers = {"X-Callback-Url": self.callback, "Idempotency-Key": self.idempotency_key}
        for name, value in headers.items():
            if value is not None and not (value.isascii() and value.isprintable()):
                raise UsageError(
                    f"{value!r} cannot be sent as {name}: only printable ASCII is allowed"
                )
        return {name: value for name, value in headers.items() if value is not None}
