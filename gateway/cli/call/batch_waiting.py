"""Waiting for the end of batches, and finding what failed in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from gateway.cli.call.progress import BatchView
from gateway.cli.client.api_client import System, path_to
from gateway.cli.client.lists import read_items
from gateway.cli.errors import CommandError
from gateway.cli.exit_codes import ExitCode

_ENDINGS = ("succeeded", "failed", "cancelled", "expired")
_BAD_ENDINGS = _ENDINGS[1:]
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
_PATIENCE_S = 60.0


def await_batches(
    system: System, batches: list[dict[str, Any]], view: BatchView
) -> list[dict[str, Any]]:
    """Return the batches once the last invocation of the last has ended.

    Raises:
        CommandError: The system was away for long.
    """
    latest = list(batches)
    pause_s = _FIRST_PAUSE_S
    while True:
        for index, batch in enumerate(latest):
            if not batch.get("finished_at"):
                latest[index] = _read_patiently(system, batch["id"])
        view.show_finished(
            sum(count_ended(batch) for batch in latest), sum(count_failed(b) for b in latest)
        )
        if all(batch.get("finished_at") for batch in latest):
            return latest
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)


def count_ended(batch: dict[str, Any]) -> int:
    """Return how many of a batch have ended."""
    return sum(batch["counts"].get(status, 0) for status in _ENDINGS)


def count_failed(batch: dict[str, Any]) -> int:
    """Return how many of a batch have ended without success."""
    return sum(batch["counts"].get(status, 0) for status in _BAD_ENDINGS)


def find_failures(system: System, batch: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the members of a batch that ended without success, each with its index."""
    left = count_failed(batch)
    members = read_items(system, path_to("batches", batch["id"]))
    for index, invocation in enumerate(members):
        if left == 0:
            return
        if invocation["status"] in _BAD_ENDINGS:
            left -= 1
            yield index, invocation


def _read_patiently(system: System, batch_id: str) -> dict[str, Any]:
    give_up_at = time.monotonic() + _PATIENCE_S
    while True:
        try:
            batch: dict[str, Any] = system.get(path_to("batches", batch_id)).json()
        except CommandError as error:
            if error.exit_code != ExitCode.UNREACHABLE or time.monotonic() > give_up_at:
                raise
            time.sleep(_LONGEST_PAUSE_S)
        else:
            return batch
