"""/invocations/retry and /invocations/cancel: one action on all invocations that match a filter.

GET counts them, POST acts on them. Both read the same pages as the list, a limited number of
records at a time, so no script and no memory here grows with the history.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from falcon.asgi import Request, Response

from gateway.auth.caller import caller_of
from gateway.invoke.bulk_retry import BulkRetrier, RetryReport
from gateway.invoke.event_log import log_cancelled
from gateway.parsing.filters import read_filter_query, read_filters
from gateway.parsing.pagination import Paging, read_paging
from gateway.parsing.preferences import fault_of, refuse_parameters
from gateway.resources.json_answer import answer_json
from gateway.resources.store_resource import StoreResource
from gateway.routing.operation import QueryParameter
from gateway.routing.parameters import (
    BULK_CANCEL,
    BULK_RETRY,
    COUNTED_CANCEL,
    COUNTED_RETRY,
    MOST_CANCELLED,
    MOST_RETRIED,
    OF_ENDING,
    OF_UNFINISHED,
)
from runtime.errors import ArgumentFault
from runtime.invocations.listing import Filters, list_invocations
from runtime.invocations.record import Record
from runtime.invocations.status import FINISHED, Status
from runtime.invocations.view import moment
from runtime.store.async_connection import AsyncConnection
from runtime.store.invocation_commands import cancel

_RETRIED_AT_ONCE = 50
_READ_AT_ONCE = 250
_MOST_PAGES = 200
_MOST_COUNTED = 10_000
_UNFINISHED = tuple(status for status in Status if status not in FINISHED)


class BulkRetry:
    """GET and POST /invocations/retry."""

    def __init__(self, store: AsyncConnection, retrier: BulkRetrier) -> None:
        self._store = store
        self._retrier = retrier

    async def on_get(self, req: Request, resp: Response) -> None:
        """Count finished invocations that match the filter and have not been retried."""
        await _answer_count(self._store, req, resp, COUNTED_RETRY, _retry_filters)

    async def on_post(self, req: Request, resp: Response) -> None:
        """Retry matching invocations, newest first, up to `limit`, each at most once."""
        query = read_filter_query(req.query_string, BULK_RETRY)
        faults: list[ArgumentFault] = []
        filters = _retry_filters(query, faults)
        query = {"status": Status.FAILED.value, **query}
        paging = read_paging(req.path, query, faults, usual=MOST_RETRIED, longest=MOST_RETRIED)
        refuse_parameters(faults)
        tally = RetryReport()
        position: tuple[str, ...] | None = paging.after
        for _ in range(_MOST_PAGES):
            if position is None or tally.count >= paging.limit:
                break
            most = min(_RETRIED_AT_ONCE, paging.limit - tally.count)
            records, after = await _read_part(self._store, filters, position, most)
            await self._retrier.retry(records, tally, caller_of(req.scope))
            if tally.refusal is not None:
                break
            position = after
        if tally.refusal is not None and not tally.count:
            raise tally.refusal
        counts = {"count": tally.count, "skipped": tally.skipped}
        _answer_part(resp, counts, paging, position)


class BulkCancel(StoreResource):
    """GET and POST /invocations/cancel."""

    async def on_get(self, req: Request, resp: Response) -> None:
        """Count unfinished invocations that match the filter."""
        await _answer_count(self._store, req, resp, COUNTED_CANCEL, _cancel_filters)

    async def on_post(self, req: Request, resp: Response) -> None:
        """Cancel matching invocations, up to `limit`; the workers of running ones are asked to."""
        query = read_filter_query(req.query_string, BULK_CANCEL)
        faults: list[ArgumentFault] = []
        filters = _cancel_filters(query, faults)
        paging = read_paging(req.path, query, faults, usual=MOST_CANCELLED, longest=MOST_CANCELLED)
        refuse_parameters(faults)
        answers: Counter[str] = Counter()
        position: tuple[str, ...] | None = paging.after
        for _ in range(_MOST_PAGES):
            left = paging.limit - answers["CANCELLED"] - answers["CANCELLING"]
            if position is None or not left:
                break
            most = min(_READ_AT_ONCE, left)
            records, position = await _read_part(self._store, filters, position, most)
            ids = [record.id for record in records]
            replies = await self._store.run_many([cancel(one) for one in ids])
            log_cancelled(zip(ids, replies, strict=True))
            answers.update(replies)
        counts = {"cancelled": answers["CANCELLED"], "cancelling": answers["CANCELLING"]}
        _answer_part(resp, counts, paging, position)


def _retry_filters(query: dict[str, str], faults: list[ArgumentFault]) -> Filters:
    _need_choice(query, faults, "retry")
    return read_filters({"status": Status.FAILED.value, **query}, OF_ENDING, faults)


def _cancel_filters(query: dict[str, str], faults: list[ArgumentFault]) -> Filters:
    _need_choice(query, faults, "cancel")
    filters = read_filters(query, OF_UNFINISHED, faults)
    # One list of all statuses in the order of ids, so no invocation that changes its status
    # meanwhile is missed.
    return replace(filters, statuses=filters.statuses or _UNFINISHED)


def _need_choice(query: dict[str, str], faults: list[ArgumentFault], verb: str) -> None:
    """Refuse a request without `function` and `status`: acting on everything may be a mistake."""
    if "function" not in query and "status" not in query:
        detail = f"give ?function, ?status or both, to choose the invocations to {verb}"
        faults += [fault_of("?function", detail), fault_of("?status", detail)]


async def _read_part(
    store: AsyncConnection, filters: Filters, position: tuple[str, ...], most: int
) -> tuple[tuple[Record, ...], tuple[str, ...] | None]:
    """Return a page of records, and the position of the next page."""
    page = await store.run(list_invocations(filters, after=position, most=most))
    return page.records, page.next


async def _answer_count(
    store: AsyncConnection,
    req: Request,
    resp: Response,
    known: Sequence[QueryParameter],
    filters_of: Callable[[dict[str, str], list[ArgumentFault]], Filters],
) -> None:
    """Count those that have not been retried; later invocations are excluded by `before`."""
    faults: list[ArgumentFault] = []
    filters = filters_of(read_filter_query(req.query_string, known), faults)
    refuse_parameters(faults)
    next_ms = int(time.time() * 1000) + 1
    asked_ms = filters.before_ms
    before_ms = next_ms if asked_ms is None else min(next_ms, asked_ms)
    filters = replace(filters, before_ms=before_ms)
    count = 0
    position: tuple[str, ...] | None = ()
    for _ in range(_MOST_PAGES):
        if position is None or count >= _MOST_COUNTED:
            break
        records, position = await _read_part(store, filters, position, _READ_AT_ONCE)
        count += sum(record.retried_by is None for record in records)
    # Until `next_ms` has passed, so that what the caller submits after this answer is later.
    await asyncio.sleep(0.002)
    resp.set_header("Cache-Control", "no-store")
    answer_json(resp, {"count": count, "more": position is not None, "before": moment(before_ms)})


def _answer_part(
    resp: Response, counts: dict[str, int], paging: Paging, position: tuple[str, ...] | None
) -> None:
    answer_json(resp, {**counts, "next": paging.point_on(resp, position)}, 202)
