"""`penstock show`: show one invocation: its error and traceback, attempts and progress."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from gateway.cli.client.api_client import System, path_to
from gateway.cli.client.event_stream import follow
from gateway.cli.client.options import ApiOptions
from gateway.cli.errors import ExitCode, describe_failure
from gateway.cli.tables import format_duration, format_relative, note, print_json, read_clock

_LONGEST_SHOWN = 2_000
_BAD = ("failed", "cancelled", "expired")


def show(
    invocation_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the invocation.")],
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the invocation ends first.")
    ] = False,
    api: ApiOptions,
) -> None:
    """Show an invocation: its status, its error and traceback, its attempts.

    The exit code is 1 if it failed, was cancelled or expired.
    """
    system = api.find_system()
    if wait:
        _wait(system, invocation_id)
    invocation = system.get(path_to("invocations", invocation_id)).json()
    if api.as_json:
        print_json(invocation)
    else:
        _print(invocation, read_clock())
    if invocation["status"] in _BAD:
        raise typer.Exit(ExitCode.FAILED)


def _wait(system: System, invocation_id: str) -> None:
    try:
        for _ in follow(system, invocation_id):
            pass
    except KeyboardInterrupt:
        note(f"\n{invocation_id} goes on")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _print(invocation: dict[str, Any], now: datetime) -> None:
    for name, value in _facts(invocation, now):
        if value:
            print(f"{name:<10} {value}")
    attempts = invocation.get("attempts") or []
    if len(attempts) > 1:
        print("attempts")
        for attempt in attempts:
            print(f"  {_attempt(attempt, now)}")
    error = invocation.get("error")
    if error:
        print(f"error      {describe_failure(error)}")
        if error.get("traceback"):
            print(str(error["traceback"]).rstrip())


def _facts(invocation: dict[str, Any], now: datetime) -> list[tuple[str, str]]:
    progress = invocation.get("progress")
    callback = invocation.get("callback") or {}
    return [
        ("id", invocation["id"]),
        ("function", f"{invocation['function']} {invocation.get('version') or ''}".rstrip()),
        ("status", invocation["status"]),
        ("attempt", str(invocation.get("attempt") or "")),
        ("queue", invocation.get("queue") or ""),
        ("worker", invocation.get("worker") or ""),
        ("created", format_relative(invocation.get("created_at"), now)),
        ("due", format_relative(invocation.get("scheduled_for"), now)),
        ("started", format_relative(invocation.get("started_at"), now)),
        ("finished", format_relative(invocation.get("finished_at"), now)),
        ("duration", format_duration(invocation.get("duration_ms"))),
        ("tags", ", ".join(invocation.get("tags") or ())),
        ("retry of", invocation.get("retry_of") or ""),
        ("batch", invocation.get("batch") or ""),
        ("callback", f"{callback.get('url')} {callback.get('status')}" if callback else ""),
        ("progress", _short(progress) if progress else ""),
        ("request", _request(invocation.get("request"))),
        ("arguments", _short(invocation.get("arguments"))),
        ("result", _short(invocation["result"]) if invocation["status"] == "succeeded" else ""),
    ]


def _request(request: dict[str, Any] | None) -> str:
    if not request:
        return ""
    query = f"?{urlencode(request['query'], doseq=True)}" if request["query"] else ""
    return f"{request['method']} {request['path']}{query}, {request['body_bytes']:,} bytes"


def _attempt(attempt: dict[str, Any], now: datetime) -> str:
    said = f"{attempt.get('attempt')}: {attempt.get('outcome') or 'running'}"
    when = format_relative(attempt.get("started_at"), now)
    error = attempt.get("error")
    return " ".join(filter(None, [said, when, describe_failure(error) if error else ""]))


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= _LONGEST_SHOWN:
        return text
    return f"{text[:_LONGEST_SHOWN]}… ({len(text):,} characters; --json shows all of it)"
