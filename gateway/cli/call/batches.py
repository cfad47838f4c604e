"""Sending rows as batches: each is accepted whole or not at all.

What the system refuses is told with the row's place in the file; a later batch that
has to wait, because a queue is full or the caller too fast, waits.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from gateway.cli.call.rows import Row
from gateway.cli.client.api_client import Answer, Query, System, accept, path_to
from gateway.cli.errors import CommandError
from gateway.cli.exit_codes import ExitCode

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
    """Send batch after batch; yield each as the system accepted it.

    Raises:
        CommandError: One was refused; those before it stay accepted.
    """
    key = headers.get("Idempotency-Key")
    for number, rows in enumerate(batches, 1):
        own = dict(headers) | {"Content-Type": "application/x-ndjson"}
        if key and number > 1:
            own["Idempotency-Key"] = f"{key}.{number}"
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
    """Tell which rows were refused, if any were, by their places."""
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
            "these rows are not accepted, and so none of their batch:" + "".join(faults),
            exit_code=ExitCode.REFUSED,
        )
