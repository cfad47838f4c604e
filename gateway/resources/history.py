"""GET /invocations: looking back, newest first."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from falcon.asgi import Request, Response

from gateway.filters import read_filters
from gateway.pages import read_paging
from gateway.preferences import fault_of, read_query, refuse_parameters
from gateway.query_parameters import HISTORY, OF_STATUS
from gateway.wishes import read_moment
from runtime.errors import ArgumentFault
from runtime.invocations.history import list_invocations, position_before
from runtime.invocations.view import invocation_view
from runtime.store.multiplexer import Multiplexer


class InvocationList:
    """GET /invocations."""

    def __init__(self, store: Multiplexer) -> None:
        self._store = store

    async def on_get(self, req: Request, resp: Response) -> None:
        """List a page; long arguments and results are left out."""
        query = read_query(req.query_string, [parameter.name for parameter in HISTORY])
        faults: list[ArgumentFault] = []
        filters = read_filters(query, OF_STATUS, faults)
        paging = read_paging(req.path, query, faults)
        before_ms = _read_before(query, faults)
        refuse_parameters(faults)
        after = paging.after
        if before_ms is not None and not after:
            after = position_before(filters, before_ms)
        page = await self._store.run(list_invocations(filters, after=after, most=paging.limit))
        resp.content_type = "application/json"
        resp.data = msgspec.json.encode(
            {
                "items": [invocation_view(record) for record in page.records],
                "next": paging.point_on(resp, page.next),
            }
        )


def _read_before(query: Mapping[str, str], faults: list[ArgumentFault]) -> int | None:
    if "before" not in query:
        return None
    try:
        return read_moment(query["before"])
    except ValueError as error:
        faults.append(fault_of("?before", f"takes {error}"))
        return None
