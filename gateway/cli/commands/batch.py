"""`penstock batch`: call a function once for each row of a file.

The whole file is read and checked before anything is sent. After Ctrl-C, invocations that were
sent go on.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from gateway.cli.call.batches import await_batches, count_failed, find_failures, send_batches
from gateway.cli.call.options import CallFlags, NameArgument
from gateway.cli.call.progress import BatchView
from gateway.cli.call.rows import RowFormat, cut_batches, guess_format, read_rows
from gateway.cli.client.api_client import System, path_to
from gateway.cli.client.options import ApiOptions
from gateway.cli.errors import ExitCode, UsageError, describe_failure
from gateway.cli.tables import note, print_json

_MOST_SHOWN = 20


def batch(
    name: NameArgument,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="NDJSON, a JSON array of objects, or CSV with a header; - for standard input. "
            "Empty CSV cells are left out.",
        ),
    ],
    *,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Wait until all have finished; list those that failed."),
    ] = False,
    row_format: Annotated[
        RowFormat | None,
        typer.Option("--format", help="Format of the file. Default: from its name or content."),
    ] = None,
    flags: CallFlags,
    api: ApiOptions,
) -> None:
    """Call a function once for each row of a file."""
    system = api.find_system()
    parameters = system.get(path_to("functions", name)).json().get("parameters") or {}
    with closing(_open(file)) as source:
        form = row_format or guess_format(file, source)
        places = [row.place for row in read_rows(source, form, parameters)]
        if not places:
            raise UsageError(f"{file} has no rows")
        batches = cut_batches(read_rows(source, form, parameters))
        sending = send_batches(system, name, batches, query=flags.query(), headers=flags.headers())
        accepted = _run(system, name, sending, len(places), wait=wait, as_json=api.as_json)
    if wait and _print_failures(system, accepted, places):
        raise typer.Exit(ExitCode.FAILED)


def _run(
    system: System,
    name: str,
    sending: Iterator[dict[str, Any]],
    total: int,
    *,
    wait: bool,
    as_json: bool,
) -> list[dict[str, Any]]:
    """Send all batches and, if `wait`, wait for them; print them even after a failure."""
    accepted: list[dict[str, Any]] = []
    try:
        with BatchView(name, total) as view:
            view.show_sent(0)
            for one in sending:
                accepted.append(one)
                if not as_json:
                    view.print(one["id"])
                view.show_sent(sum(batch["size"] for batch in accepted))
            if wait:
                accepted = await_batches(system, accepted, view)
    except KeyboardInterrupt:
        sent = sum(batch["size"] for batch in accepted)
        note(f"\n{sent:,} of {total:,} calls were accepted and go on")
        for one in accepted:
            note(f"list them:    {system.hint('invocations', '--batch', one['id'])}")
            note(f"cancel them:  {system.hint('cancel', '--batch', one['id'])}")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    finally:
        if accepted:
            _report(accepted, as_json=as_json)
    return accepted


def _report(batches: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({"items": batches})
        return
    counts: Counter[str] = Counter()
    for one in batches:
        counts.update(one["counts"])
    said = ", ".join(f"{many:,} {status}" for status, many in counts.items() if many)
    note(f"{sum(one['size'] for one in batches):,} calls: {said}")


def _print_failures(system: System, batches: list[dict[str, Any]], places: Sequence[str]) -> int:
    """Print the first failures with their places in the file; return the number of failures."""
    failed = sum(count_failed(batch) for batch in batches)
    before = 0
    rows: list[tuple[str, ...]] = []
    for one in batches:
        wanted = min(_MOST_SHOWN - len(rows), count_failed(one))
        for index, invocation in islice(find_failures(system, one), wanted):
            rows.append((places[before + index], invocation["id"], *_print_end(invocation)))
        before += one["size"]
    for row in rows:
        note("  ".join(row))
    if failed > len(rows):
        note(f"and {failed - len(rows):,} more")
    for one in batches:
        if one["counts"].get("failed"):
            note(f"retry the failed ones:  {system.hint('retry', '--batch', one['id'])}")
    return failed


def _print_end(invocation: dict[str, Any]) -> tuple[str, ...]:
    error = invocation.get("error") or {}
    said = (describe_failure(error).partition("\n")[0],) if error else ()
    return (invocation["status"], *said)


def _open(name: str) -> BinaryIO:
    """Open the file; standard input is copied to a temporary file, so it can be read twice."""
    try:
        if name != "-":
            return Path(name).open("rb")
        spool = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        shutil.copyfileobj(sys.stdin.buffer, spool)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from error
    else:
        return spool
