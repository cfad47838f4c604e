"""Submit a batch in a few round trips: ask for admission, stage the members in parts, commit.

Before the commit no member waits or is listed, and staged members expire by themselves; with the
commit all of them exist. The members of a batch of more than 1,000 then join the queue in parts.
If this process dies meanwhile, a worker continues.
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
    """Submit calls that differ from `sample` in their arguments only; its id is the batch's.

    Returns the answer to the request for admission, which has the caller's remaining calls, and
    the final answer.

    Raises:
        StoreError: Redis does not answer, or answers with an error; whether the batch was
            committed may be unknown.
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
        # The batch is committed: a caller that got an error now would submit it again.
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
