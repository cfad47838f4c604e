"""`penstock bench`: put load on one function of a running system and report the results.

A separate process (`gateway.cli.load.client`) sends the calls. Every call is a real one: it runs,
is recorded and counts in the statistics. Wrong answers are counted and reported, and make the exit
code 1.
"""

from __future__ import annotations

import time
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from gateway.cli.call.arguments import read_body
from gateway.cli.call.options import NameArgument, WordsArgument
from gateway.cli.client.api_client import System, accept, find_system, path_to
from gateway.cli.client.options import JsonOption, UrlOption
from gateway.cli.errors import ExitCode, UsageError
from gateway.cli.load.plan import LoadPlan, LoadReport, encode_request, read_report, start
from gateway.cli.load.progress import BenchView
from gateway.cli.tables import print_json, print_table

_OK = 200
_ACCEPTED = 202
_LONGEST_WAIT_S = 60
_LOOK_EVERY_S = 0.05


def bench(
    name: NameArgument,
    arguments: WordsArgument = None,
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for each result, not only for acceptance.")
    ] = False,
    connections: Annotated[
        int,
        typer.Option("--connections", "-c", min=1, max=1000, help="Number of parallel callers."),
    ] = 32,
    seconds: Annotated[
        float, typer.Option("--seconds", "-s", min=0.1, max=3600, help="How long to send calls.")
    ] = 5.0,
    data: Annotated[
        str | None,
        typer.Option(
            "--data", metavar="JSON|@FILE", help="Request body instead.", show_default=False
        ),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how many calls per second a function handles."""
    system = find_system(url)
    body, content_type = read_body(system, name, arguments or [], data)
    headers = {"Content-Type": content_type}
    if wait:
        headers["Prefer"] = f"wait={_LONGEST_WAIT_S}"
    path = path_to("functions", name)
    # One call first: an invalid request fails here, before the load starts.
    accept(system.ask("POST", path, body=body, headers=headers))
    report = _run(
        _order(system, path, body, headers, wait=wait, connections=connections, seconds=seconds),
        name,
    )
    if as_json:
        shape = {"function": name, "wait": wait, "connections": connections, "seconds": seconds}
        print_json(shape | report.as_json() | {"errors": report.errors})
    else:
        _show(report, wait=wait)
    if report.errors:
        raise typer.Exit(ExitCode.FAILED)


def _order(
    system: System,
    path: str,
    body: bytes,
    headers: dict[str, str],
    *,
    wait: bool,
    connections: int,
    seconds: float,
) -> LoadPlan:
    parts = urlsplit(system.url)
    if parts.scheme != "http" or not parts.hostname:
        raise UsageError(
            f"bench needs plain HTTP, and {system.url} uses HTTPS; run it beside the gateway"
        )
    request = encode_request("POST", parts.path + path, body, headers, host=parts.netloc)
    return LoadPlan(
        host=parts.hostname,
        port=parts.port or 80,
        requests=[request],
        markers=['"status":"succeeded"' if wait else '"id":"'],
        statuses=[_OK if wait else _ACCEPTED],
        connections=connections,
        seconds=seconds,
        patience_s=_LONGEST_WAIT_S + 5.0,
    )


def _run(order: LoadPlan, name: str) -> LoadReport:
    """Run a client with the plan; show the progress."""
    began_at = time.monotonic()
    client = start(order)
    try:
        with BenchView(name, order.warmup_s + order.seconds) as view:
            while client.poll() is None:
                view.show(time.monotonic() - began_at)
                time.sleep(_LOOK_EVERY_S)
        return read_report(client)
    except KeyboardInterrupt:
        client.kill()
        client.wait()
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _show(report: LoadReport, *, wait: bool) -> None:
    """Print a report as a table."""
    rows: list[tuple[str, Any]] = [
        ("calls per second", f"{report.rate:,.1f}"),
        ("calls measured", f"{report.measured:,}"),
        (f"time to {'result' if wait else 'acceptance'}, p50", f"{report.p50_ms:,.1f} ms"),
        ("p90", f"{report.p90_ms:,.1f} ms"),
        ("p99", f"{report.p99_ms:,.1f} ms"),
        ("longest", f"{report.max_ms:,.1f} ms"),
        ("errors", f"{report.errors:,}"),
    ]
    rows += [(f"answered {status}", f"{many:,}") for status, many in report.refusals.items()]
    if report.broken:
        rows.append(("not answered", f"{report.broken:,}"))
    print_table(("", ""), rows)
    if report.errors:
        print(f"example of a bad answer: {report.example}")
