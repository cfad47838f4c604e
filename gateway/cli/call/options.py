"""The options of a call as flags of `invoke` and `batch`.

Each flag is a query parameter or a header of the API. Its value is sent as typed, so that only
the gateway checks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from gateway.cli.client.api_client import Query
from gateway.cli.errors import CommandError, ExitCode

DelayOption = Annotated[
    str | None,
    typer.Option("--delay", metavar="DURATION", help="Wait before it starts: 30s, 5m, 2h, 7d."),
]
RunAtOption = Annotated[
    str | None,
    typer.Option("--run-at", metavar="TIME", help="Start at this time: 2026-11-22T09:30:00+01:00."),
]
PriorityOption = Annotated[
    int | None, typer.Option("--priority", metavar="0-9", min=0, max=9, help="Higher runs first.")
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="TEXT", help="Fairness key: a function's keys take turns in its queue."
    ),
]
MaxAgeOption = Annotated[
    str | None,
    typer.Option(
        "--max-age", metavar="DURATION", help="Expire if it has not started after this time."
    ),
]
TagOption = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TEXT", help="Tag to find it by later; may be repeated."),
]
CallbackOption = Annotated[
    str | None,
    typer.Option("--callback", metavar="URL", help="Send the result to this URL, signed."),
]
IdempotencyKeyOption = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        metavar="TEXT",
        help="A repeated call with the same key does not invoke again.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFlags:
    """The flags that were given."""

    delay: str | None = None
    run_at: str | None = None
    priority: int | None = None
    key: str | None = None
    max_age: str | None = None
    tags: tuple[str, ...] = ()
    callback: str | None = None
    idempotency_key: str | None = None

    def query(self) -> Query:
        """Return the query parameters."""
        single = {
            "delay": self.delay,
            "run_at": self.run_at,
            "priority": self.priority,
            "key": self.key,
            "max_age": self.max_age,
        }
        given = [(name, str(value)) for name, value in single.items() if value is not None]
        return [*given, *(("tag", tag) for tag in self.tags)]

    def headers(self) -> dict[str, str]:
        """Return the headers.

        Raises:
            CommandError: A value has characters that a header cannot carry.
        """
        headers = {"X-Callback-Url": self.callback, "Idempotency-Key": self.idempotency_key}
        for name, value in headers.items():
            if value is not None and not (value.isascii() and value.isprintable()):
                raise CommandError(
                    f"{value!r} cannot be sent as {name}: only printable ASCII is allowed",
                    exit_code=ExitCode.USAGE,
                )
        return {name: value for name, value in headers.items() if value is not None}
