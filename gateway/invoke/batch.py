"""Give birth to a batch in a few round trips: ask, stage in parts, commit.

Until the commit nothing of it waits or is listed, and what was staged vanishes by
itself; with the commit all of it is there. Of a large one the members then join the
queue some at a time; should this process die meanwhile, a worker goes on with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from gateway.parsing.batch_body import Turns
from runtime.errors import StoreError
from runtime.invocations.batch import Batch, new_batch
from runtime.invocations.ids import new_invocation_id
from runtime.invocations.submission import Submission
from runtime.store.async_connection import AsyncConnection
from runtime.store.submission_commands import (
    JOINED_AT_ONCE,
    Submitted,
    admit_batch,
    commit_batch,
    join_batch,
    stage_batch,
)

_PART_ITEMS = 250
_PART_BYTES = 256 * 1024

Entry = tuple[str, bytes]


async def submit_batch(
    store: AsyncConnection, sample: Submission, items: Sequence[bytes]
) -> tuple[Submitted, Submitted]:
    """Submit calls that are like `sample` but for their arguments; its id is the batch's.

    Returns how the batch was admitted (with what the caller may still do), and how it was
    received in the end.

    Raises:
        StoreError: Redis is away; as far as is known, nothing of the batch waits.
    """
    call_options = sample.call_options
    admitted = await store.run(
        admit_batch(
            batch=sample.id,
            function=sample.function,
            size=len(items),
            max_waiting=sample.max_waiting,
            idempotency=sample.idempotency,
            pace=sample.pace,
            api_key=sample.api_key,
        )
    )
    if admitted.reception != "NEW":
        return admitted, admitted
    turns = Turns()
    for entries in _parts(items):
        await store.run(
            stage_batch(
                batch=sample.id,
                function=sample.function,
                queue=sample.queue,
                version=sample.version,
                entries=entries,
                callback=call_options.callback or "",
                priority=sample.priority,
                key=call_options.key,
                tags=call_options.tags,
                traceparent=sample.trace.traceparent if sample.trace else "",
                tracestate=sample.trace.tracestate if sample.trace else "",
                caller=sample.caller or "",
                secrets=sample.secrets,
            )
        )
        await turns.take()
    commit = commit_batch(
        batch=sample.id,
        size=len(items),
        delay_ms=call_options.delay_ms,
        run_at_ms=call_options.run_at_ms,
        max_age_ms=sample.max_age_ms,
        max_waiting=sample.max_waiting,
        idempotency=sample.idempotency,
        api_key=sample.api_key,
    )
    while (committed := await store.run(commit)).reception == "PART":
        await turns.take()
    if committed.reception == "NEW" and len(items) > JOINED_AT_ONCE:
        # It is born: a caller that were told otherwise would submit it again.
        with contextlib.suppress(StoreError):
            while await store.run(join_batch(sample.id)):
                await turns.take()
    return admitted, committed


def new_batch_view(sample: Submission, size: int, created_at_ms: int) -> Batch:
    """Return the batch as it is right after its commit."""
    call_options = sample.call_options
    due_ms = call_options.run_at_ms or created_at_ms + call_options.delay_ms
    return new_batch(
        sample.id,
        function=sample.function,
        size=size,
        created_at_ms=created_at_ms,
        is_later=due_ms > created_at_ms,
        callback=call_options.callback,
        caller=sample.caller,
    )


def _parts(items: Sequence[bytes]) -> Iterator[list[Entry]]:
    part: list[Entry] = []
    size = 0
    for item in items:
        if part and (len(part) == _PART_ITEMS or size + len(item) > _PART_BYTES):
            yield part
            part, size = [], 0
        part.append((new_invocation_id(), item))
        size += len(item)
    yield part
