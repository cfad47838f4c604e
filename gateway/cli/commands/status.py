"""`penstock status`: show whether the system is ready, and its functions, queues and workers.

Lists that the gateway cannot provide are left out. The exit code is 0 only if the system is
ready.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from gateway.cli.client.api_client import System
from gateway.cli.client.options import ApiOptions
from gateway.cli.commands.queues import print_queues
from gateway.cli.errors import ExitCode
from gateway.cli.tables import format_relative, print_json, print_table, read_clock
from gateway.cli.up.data_folder import read_state
from runtime.settings import read_settings

_OK = 200
_SAID = {"published": "same files", "unknown": ""}
_WORKER_HEAD = (
    *("worker", "pid", "queues", "in flight", "running", "memory"),
    *("started", "last seen", "functions"),
)
_COUNTED = ("succeeded", "failed", "cancelled", "expired", "retried", "lost")


def status(*, api: ApiOptions) -> None:
    """Show whether the system is ready, and its functions, queues and workers."""
    system = api.find_system()
    found = _look(system, _pids(system, api.data))
    if api.as_json:
        print_json(found)
    else:
        _show(found)
    if not found["ready"]:
        raise typer.Exit(ExitCode.UNREACHABLE)


def _look(system: System, pids: dict[str, int]) -> dict[str, Any]:
    """Return everything that the system reports about itself."""
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
    """Return the processes of the `up` on this machine, if it is the system that was asked."""
    state = read_state(read_settings(data=data).data)
    if state is None or state.url != system.url:
        return {}
    return {"penstock": state.pid, **state.parts}


def _show(found: dict[str, Any]) -> None:
    print(f"{found['url']} is {'ready' if found['ready'] else 'not ready'}")
    if found["pids"]:
        print("processes: " + ", ".join(f"{name} {pid}" for name, pid in found["pids"].items()))
    if found["functions"]:
        print_table(
            ("function", *_COUNTED, ""),
            [_function_row(item) for item in found["functions"]],
        )
    if found["queues"]:
        print_queues(found["queues"])
    if found["workers"]:
        now = read_clock()
        print_table(
            _WORKER_HEAD,
            [_worker_row(item, now) for item in found["workers"]],
        )
        _print_differences(found["workers"])


def _function_row(item: dict[str, Any]) -> tuple[object, ...]:
    stats = item.get("stats") or {}
    error = item.get("error")
    said = f"does not load: {error.get('type')}" if error else ""
    if item.get("state") == "loading":
        said = "loading"
    return (item["name"], *(stats.get(name) or "" for name in _COUNTED), said)


def _worker_row(item: dict[str, Any], now: datetime) -> tuple[object, ...]:
    memory_bytes = item.get("memory_bytes")
    return (
        item["id"],
        item.get("pid") or "",
        ", ".join(item.get("queues") or ()) or "all",
        _in_flight(item),
        ", ".join(_running(item.get("running") or ())),
        f"{memory_bytes / 1_048_576:.0f} MiB" if memory_bytes else "",
        format_relative(item.get("started_at"), now),
        format_relative(item.get("last_seen_at"), now),
        _print_folder(item),
    )


def _in_flight(worker: dict[str, Any]) -> str:
    """Return how many attempts a worker holds, and its maximum: `37 of 1,000`."""
    held, most = worker.get("in_flight") or 0, worker.get("max_in_flight")
    return f"{held:,} of {most:,}" if most else f"{held:,}"


def _print_folder(worker: dict[str, Any]) -> str:
    """Return the state of a worker's folder: `publishes`, `differs`, `publishes, empty`."""
    state = (worker.get("functions") or {}).get("state", "unknown")
    said = ["publishes"] if worker.get("publishes") else []
    return ", ".join(said + ([] if state == "published" and said else [_SAID.get(state, state)]))


def _print_differences(workers: Sequence[dict[str, Any]]) -> None:
    for worker in workers:
        folder = worker.get("functions") or {}
        if folder.get("state") in {"differs", "empty"}:
            files = ", ".join(folder.get("differing") or ())
            print(f"{worker['id']}: {folder.get('folder')} differs from what is published: {files}")
            # A publisher's own files are published already; what differs are files that it lacks.
            wholly = " --withdraw-missing" if worker.get("publishes") else ""
            print(f"  to publish it: penstock publish --worker {worker['id']}{wholly}")


def _running(items: Sequence[dict[str, Any]]) -> list[str]:
    """Return the running functions with their counts: `thumbnail`, `countdown x 3`."""
    counts = Counter(item["function"] for item in items)
    return [name if many == 1 else f"{name} x {many}" for name, many in counts.items()]
