"""Calls that are born, claimed and ended by the store's own calls, many at a time."""

from __future__ import annotations

import time

from runtime.invocations.ids import new_invocation_id
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import Settlement, claim, settle
from runtime.store.submission_commands import submit

TOGETHER = 50


def end_some(connection: BlockingConnection, count: int = TOGETHER, *, ttl_ms: int) -> None:
    """Let `count` calls live and end; their records are kept for `ttl_ms`."""
    entries = [(new_invocation_id(), b'{"a":1}', ()) for _ in range(count)]
    connection.run(submit(function="f", queue="default", version="v", entries=entries))
    claimed = connection.run(claim(queue="default", worker="w", limit=count, lease_ms=10_000)).items
    endings = [
        Settlement(id=one.id, token=one.token, status="succeeded", ttl_ms=ttl_ms, result=b'"done"')
        for one in claimed
    ]
    connection.run(settle(endings, worker="w"))


def end_at_a_rate(connection: BlockingConnection, *, per_s: int, for_s: float, ttl_ms: int) -> int:
    """End calls evenly, `per_s` of them each second; returns how many ended."""
    began, ended = time.monotonic(), 0
    while (now := time.monotonic()) < began + for_s:
        if ended < (now - began) * per_s:
            end_some(connection, ttl_ms=ttl_ms)
            ended += TOGETHER
        else:
            time.sleep(TOGETHER / per_s / 4)
    return ended
