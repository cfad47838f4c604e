"""`penstock status`: what runs, and whether it is well.

Shows what the system tells: health always; queues and workers where it has those
routes. Exit code 0 only when it is ready.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from gateway.cli.exit_codes import ExitCode
from gateway.cli.output import print_json, print_table
from gateway.cli.state_file import read_state
from gateway.cli.system import DataOption, JsonOption, System, UrlOption, find_system
from runtime.settings import read_settings

_OK = 200
_QUEUE_MEMBERS = "name depth scheduled in_flight oldest_ms workers"


def status(*, url: UrlOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show what runs, and whether it is well."""
    system = find_system(url, data)
    found = _look(system, _pids(system, data))
    if as_json:
        print_json(found)
    else:
        _show(found)
    if not found["ready"]:
        raise typer.Exit(ExitCode.UNREACHABLE)


def _look(system: System, pids: dict[str, int]) -> dict[str, Any]:
    """Ask everything there is to ask."""
    return {
        "url": system.url,
        "ready": system.ask("GET", "/readyz").status == _OK,
        "pids": pids,
        "functions": _items(system, "/functions"),
        "queues": _items(system, "/queues"),
        "workers": _items(system, "/workers"),
    }


def _items(system: System, path: str) -> list[dict[str, Any]]:
    answer = system.ask("GET", path)
    return list(answer.json()["items"]) if answer.status == _OK else []


def _pids(system: System, data: Path | None) -> dict[str, int]:
    """Return the processes of the `up` on this machine, if it is the one that was asked."""
    state = read_state(read_settings(data=data).data)
    if state is None or state.url != system.url:
        return {}
    return {"penstock": state.pid, **state.parts}


def _show(found: dict[str, Any]) -> None:
    broken = [item["name"] for item in found["functions"] if item.get("error")]
    print(f"{found['url']} is {'ready' if found['ready'] else 'not ready'}")
    print(f"functions: {len(found['functions'])}, with an error: {', '.join(broken) or 'none'}")
    if found["pids"]:
        print("processes: " + ", ".join(f"{name} {pid}" for name, pid in found["pids"].items()))
    if found["queues"]:
        print_table(
            ("queue", "waiting", "scheduled", "in flight", "oldest ms", "workers"),
            [
                _cells(q, "name depth scheduled in_flight oldest_ms workers")
                for q in found["queues"]
            ],
        )
    if found["workers"]:
        print_table(
            ("worker", "pid", "queues", "running", "last seen"),
            [
                (*_cells(w, "id pid"), ", ".join(w.get("queues", [])), len(w.get("running", [])),
                 w.get("last_seen_at", ""))
                for w in found["workers"]
            ],
        )  # fmt: skip


def _cells(item: dict[str, Any], names: str) -> list[object]:
    return [item.get(name, "") for name in names.split()]
