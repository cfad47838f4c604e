"""/batches/{id}: the counts and members of a batch; cancel it, retry its failed members."""

from __future__ import annotations

from collections import Counter

from falcon.asgi import Request, Response

from gateway.auth.caller import Caller, caller_of
from gateway.auth.permissions import lacks_scope
from gateway.invoke.bulk_retry import BulkRetrier, RetryReport
from gateway.invoke.event_log import log_cancelled
from gateway.parsing.filters import read_filter_query, read_statuses
from gateway.parsing.pagination import Paging, read_paging
from gateway.parsing.preferences import read_query, refuse_parameters
from gateway.problems import ProblemError
from gateway.resources.json_answer import answer_json
from gateway.resources.store_resource import StoreResource
from gateway.routing.parameters import BATCH_PAGE, BATCH_RETRY, MOST_RETRIED, OF_ENDING
from runtime.errors import ArgumentFault
from runtime.invocations.batch import Batch as BatchRecord
from runtime.invocations.batch import batch_view, members_view, read_batch
from runtime.invocations.ids import is_invocation_id
from runtime.invocations.status import Status
from runtime.store.async_connection import AsyncConnection
from runtime.store.invocation_commands import cancel
from runtime.store.listing_commands import read_member_ids

_READ_AT_ONCE = 50
_CANCELLED_AT_ONCE = 250


class OneBatch(StoreResource):
    """GET and DELETE /batches/{id}."""

    async def on_get(self, req: Request, resp: Response, batch_id: str) -> None:
        """Show the counts; with `limit` or `cursor` also a page of members."""
        query = read_query(req.query_string, [parameter.name for parameter in BATCH_PAGE])
        faults: list[ArgumentFault] = []
        paging = read_paging(req.path, query, faults)
        start = _start_of(paging)
        refuse_parameters(faults)
        most = paging.limit if query else 0
        batch = known_batch(
            await self._store.run(read_batch(batch_id, start=start, most=most)),
            batch_id,
            owner=caller_of(req.scope).sees_only,
        )
        view = batch_view(batch)
        if query:
            end = start + paging.limit
            view["items"] = members_view(batch)
            view["next"] = paging.point_on(resp, (str(end),) if end < batch.size else None)
        resp.set_header("Cache-Control", "no-cache")
        answer_json(resp, view)

    async def on_delete(self, req: Request, resp: Response, batch_id: str) -> None:
        """Cancel the members that are waiting or running."""
        caller = caller_of(req.scope)
        batch = find_controllable(await self._store.run(read_batch(batch_id)), batch_id, caller)
        if batch.is_finished:
            raise ProblemError("batch_finished", "Every invocation of the batch has finished.")
        answers: Counter[str] = Counter()
        for start in range(0, batch.size, _CANCELLED_AT_ONCE):
            members = await self._store.run(
                read_member_ids(batch_id, start=start, most=_CANCELLED_AT_ONCE)
            )
            replies = await self._store.run_many([cancel(member) for member in members])
            log_cancelled(zip(members, replies, strict=True))
            answers.update(replies)
        view = batch_view(known_batch(await self._store.run(read_batch(batch_id)), batch_id))
        view["cancelled"], view["cancelling"] = answers["CANCELLED"], answers["CANCELLING"]
        answer_json(resp, view, 202)


class BatchRetry:
    """POST /batches/{id}/retry."""

    def __init__(self, store: AsyncConnection, retrier: BulkRetrier) -> None:
        self._store = store
        self._retrier = retrier

    async def on_post(self, req: Request, resp: Response, batch_id: str) -> None:
        """Retry members with a matching status, up to `limit` of them, each at most once."""
        query = read_filter_query(req.query_string, BATCH_RETRY)
        faults: list[ArgumentFault] = []
        query = {"status": Status.FAILED.value, **query}
        statuses = read_statuses(query, OF_ENDING, faults)
        paging = read_paging(req.path, query, faults, usual=MOST_RETRIED, longest=MOST_RETRIED)
        start = _start_of(paging)
        refuse_parameters(faults)
        caller = caller_of(req.scope)
        tally = RetryReport()
        size = start + 1
        while start < size and tally.count < paging.limit:
            most = min(_READ_AT_ONCE, paging.limit - tally.count)
            found = await self._store.run(read_batch(batch_id, start=start, most=most))
            batch = find_controllable(found, batch_id, caller)
            size = batch.size
            ended = [member for member in batch.members if member.status in statuses]
            await self._retrier.retry(ended, tally, caller)
            if tally.refusal is not None:
                break
            start += most
        if tally.refusal is not None and not tally.count:
            raise tally.refusal
        answer_json(
            resp,
            {
                "count": tally.count,
                "skipped": tally.skipped,
                "next": paging.point_on(resp, (str(start),) if start < size else None),
            },
            202,
        )


def known_batch(
    batch: BatchRecord | None, batch_id: str, *, owner: str | None = None
) -> BatchRecord:
    """Return the batch; with `owner`, a batch of another caller does not exist.

    Raises:
        ProblemError: There is no such batch: 410 if the id is well-formed, else 404; with
            `owner` always 404.
    """
    if batch is not None and owner in (None, batch.caller):
        return batch
    if owner is None and is_invocation_id(batch_id):
        raise ProblemError("batch_gone", f"The batch {batch_id} is no longer kept.")
    raise ProblemError("batch_not_found", f"No batch has the id {batch_id[:64]!r}.")


def find_controllable(batch: BatchRecord | None, batch_id: str, caller: Caller) -> BatchRecord:
    """Return a batch that the caller may cancel and retry.

    Raises:
        ProblemError: There is no such batch for them, or they may only read it.
    """
    found = known_batch(batch, batch_id, owner=caller.sees_only)
    if caller.controls_only not in (None, found.caller):
        raise lacks_scope("steer")
    return found


def _start_of(paging: Paging) -> int:
    return int(paging.after[0]) if paging.after else 0
