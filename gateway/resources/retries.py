"""POST /invocations/{id}/retry and /invocations/retry: once more, with the same arguments."""

from __future__ import annotations

import msgspec
from falcon.asgi import Request, Response

from gateway.accepting import Acceptance
from gateway.application import noted_header, single_header
from gateway.callers import caller_of, identity_of
from gateway.directory import FunctionDirectory
from gateway.filters import read_filters
from gateway.following import Follower
from gateway.idempotency import HEADER, identify, read_idempotency_key
from gateway.pages import Paging, read_paging
from gateway.permissions import lacks_scope
from gateway.preferences import fault_of, read_preferences, read_query, refuse_parameters
from gateway.problems import ProblemError
from gateway.query_parameters import BULK_RETRY, MOST_RETRIED, OF_ENDING
from gateway.retrying import Retrier, Tally
from gateway.tracing import trace_of
from runtime.errors import ArgumentFault
from runtime.invocations.history import Filters, list_invocations
from runtime.invocations.retrying import prepare_retry
from runtime.invocations.statuses import Status
from runtime.store.multiplexer import Multiplexer

_AT_ONCE = 50
_MOST_PAGES = 200


class OneRetry:
    """POST /invocations/{id}/retry."""

    def __init__(
        self, *, directory: FunctionDirectory, follower: Follower, acceptance: Acceptance
    ) -> None:
        self._directory = directory
        self._follower = follower
        self._acceptance = acceptance

    async def on_post(self, req: Request, resp: Response, invocation_id: str) -> None:
        """Invoke again, and wait for the end if the caller prefers that."""
        preferences = read_preferences(noted_header(req.scope, b"prefer"))
        key = read_idempotency_key(single_header(req.scope, HEADER))
        caller = caller_of(req.scope)
        record = await self._follower.fetch(invocation_id, owner=caller.sees_only)
        if caller.steers_only not in (None, record.caller) or not caller.may_retry(record.function):
            raise lacks_scope("steer")
        if not record.is_finished:
            raise ProblemError(
                "invocation_unfinished", f"It is {record.status.value}: there is nothing to retry."
            )
        idempotency = None
        if key is not None:
            scope = (record.function, identity_of(req.scope))
            idempotency = identify(key, scope=scope, content=(b"retry", record.id.encode()))
        admission = self._acceptance.admission
        submission = prepare_retry(
            await self._directory.find(record.function),
            record,
            waiter=self._acceptance.waiter(preferences),
            max_waiting=admission.max_waiting,
            idempotency=idempotency,
            trace=trace_of(req),
            pace=admission.pace(req.scope),
            api_key=caller.key_id,
        )
        await self._acceptance.answer(req, resp, submission, preferences)


class BulkRetry:
    """POST /invocations/retry."""

    def __init__(self, store: Multiplexer, retrier: Retrier) -> None:
        self._store = store
        self._retrier = retrier

    async def on_post(self, req: Request, resp: Response) -> None:
        """Retry what ended so, newest first, up to `limit` of them."""
        filters, paging = _read_wish(req)
        tally = Tally()
        after: tuple[str, ...] | None = paging.after
        for _ in range(_MOST_PAGES):
            if after is None or tally.count >= paging.limit:
                break
            most = min(_AT_ONCE, paging.limit - tally.count)
            page = await self._store.run(list_invocations(filters, after=after, most=most))
            await self._retrier.retry(page.records, tally, caller_of(req.scope))
            if tally.refusal is not None:
                break
            after = page.next
        if tally.refusal is not None and not tally.count:
            raise tally.refusal
        resp.status = 202
        resp.content_type = "application/json"
        resp.data = msgspec.json.encode(
            {
                "count": tally.count,
                "skipped": tally.skipped,
                "next": paging.point_on(resp, after),
            }
        )


def _read_wish(req: Request) -> tuple[Filters, Paging]:
    query = read_query(req.query_string, [parameter.name for parameter in BULK_RETRY])
    faults: list[ArgumentFault] = []
    if "function" not in query and "status" not in query:
        detail = "is needed, ?function or ?status or both: which invocations to retry"
        faults += [fault_of("?function", detail), fault_of("?status", detail)]
    query = {"status": Status.FAILED.value, **query}
    filters = read_filters(query, OF_ENDING, faults)
    paging = read_paging(req.path, query, faults, usual=MOST_RETRIED, longest=MOST_RETRIED)
    refuse_parameters(faults)
    return filters, paging
