"""Sending rows as batches, and waiting for the batches to finish.

The gateway accepts each batch whole or not at all; refused rows are reported with their place in
the file. If the gateway answers 429 to a later batch, because a queue is full or the caller's rate
limit is reached, the batch is sent again. Used by `penstock batch`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from gateway.cli.call.progress import BatchView
from gateway.cli.call.rows import Row
from gateway.cli.client.api_client import Answer, Query, System, accept, path_to
from gateway.cli.client.lists import read_items
from gateway.cli.errors import CommandError, ExitCode
from penstock.client.batch_parts import key_of_part

_TOO_MANY = 429
_PATIENCE_S = 600.0
_LONGEST_PAUSE_S = 10
_MOST_FAULTS = 20
_POINTER = re.compile(r"/(\d+)(/.*)?\Z", re.DOTALL)


def send_batches(
    system: System,
    name: str,
    batches: Iterable[list[Row]],
    *,
    query: Query,
    headers: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """Send one batch after the other; yield the gateway's answer to each.

    Raises:
        CommandError: A batch was refused; the batches before it stay accepted.
    """
    key = headers.get("Idempotency-Key")
    for number, rows in enumerate(batches, 1):
        own = dict(headers) | {"Content-Type": "application/x-ndjson"}
        if key:
            own["Idempotency-Key"] = key_of_part(key, number)
        body = b"\n".join(row.body for row in rows)
        give_up_at = time.monotonic() + (_PATIENCE_S if number > 1 else 0)
        path = path_to("functions", name, "batch")
        answer = system.ask("POST", path, query=query, body=body, headers=own)
        while answer.status == _TOO_MANY and time.monotonic() < give_up_at:
            time.sleep(min(max(answer.retry_after_s, 1), _LONGEST_PAUSE_S))
            answer = system.ask("POST", path, query=query, body=body, headers=own)
        _refuse_rows(answer, rows)
        yield accept(answer).json()


def _refuse_rows(answer: Answer, rows: list[Row]) -> None:
    """Raise a CommandError that names the refused rows by their places, if there are any."""
    faults: list[str] = []
    with suppress(ValueError, AttributeError, KeyError, TypeError):
        errors = json.loads(answer.body).get("errors", [])
        for error in errors[:_MOST_FAULTS]:
            match = _POINTER.match(error["pointer"])
            if match and int(match[1]) < len(rows):
                where = f"{rows[int(match[1])].place}{match[2] or ''}"
                faults.append(f"\n  {where}: {error['detail']}")
        if len(errors) > _MOST_FAULTS and faults:
            faults.append(f"\n  and {len(errors) - _MOST_FAULTS} more")
    if faults:
        raise CommandError(
            "the batch was refused because of these rows:" + "".join(faults),
            exit_code=ExitCode.REFUSED,
        )


_ENDINGS = ("succeeded", "failed", "cancelled", "expired")
_BAD_ENDINGS = _ENDINGS[1:]
_FIRST_PAUSE_S = 0.05
_LONGEST_POLL_S = 1.0
_POLL_PATIENCE_S = 60.0


def await_batches(
    system: System, batches: list[dict[str, Any]], view: BatchView
) -> list[dict[str, Any]]:
    """Wait until all invocations of all batches have ended; return the batches.

    Raises:
        CommandError: The system did not answer for a minute.
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
        pause_s = min(pause_s * 1.5, _LONGEST_POLL_S)


def count_ended(batch: dict[str, Any]) -> int:
    """Return the number of invocations in a batch that have ended."""
    return sum(batch["counts"].get(status, 0) for status in _ENDINGS)


def count_failed(batch: dict[str, Any]) -> int:
    """Return the number of invocations in a batch that ended without success."""
    return sum(batch["counts"].get(status, 0) for status in _BAD_ENDINGS)


def find_failures(system: System, batch: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each invocation of a batch that ended without success, with its index."""
    left = count_failed(batch)
    members = read_items(system, path_to("batches", batch["id"]))
    for index, invocation in enumerate(members):
        if left == 0:
            return
        if invocation["status"] in _BAD_ENDINGS:
            left -= 1
            yield index, invocation


def _read_patiently(system: System, batch_id: str) -> dict[str, Any]:
    give_up_at = time.monotonic() + _POLL_PATIENCE_S
    while True:
        try:
            batch: dict[str, Any] = system.get(path_to("batches", batch_id)).json()
        except CommandError as error:
            if error.exit_code != ExitCode.UNREACHABLE or time.monotonic() > give_up_at:
                raise
            time.sleep(_LONGEST_POLL_S)
        else:
            return batch
