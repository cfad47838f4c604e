"""GET /invocations: the history of invocations, newest first."""

from __future__ import annotations

from falcon.asgi import Request, Response

from gateway.parsing.filters import read_filter_query, read_filters
from gateway.parsing.pagination import read_paging
from gateway.parsing.preferences import refuse_parameters
from gateway.resources.json_answer import answer_json
from gateway.resources.store_resource import StoreResource
from gateway.routing.parameters import HISTORY, OF_STATUS
from runtime.errors import ArgumentFault
from runtime.invocations.listing import list_invocations
from runtime.invocations.view import invocation_view


class InvocationList(StoreResource):
    """GET /invocations."""

    async def on_get(self, req: Request, resp: Response) -> None:
        """List a page of invocations, without long arguments and results."""
        query = read_filter_query(req.query_string, HISTORY)
        faults: list[ArgumentFault] = []
        filters = read_filters(query, OF_STATUS, faults)
        paging = read_paging(req.path, query, faults)
        refuse_parameters(faults)
        page = await self._store.run(
            list_invocations(filters, after=paging.after, most=paging.limit)
        )
        answer_json(
            resp,
            {
                "items": [invocation_view(record) for record in page.records],
                "next": paging.point_on(resp, page.next),
            },
        )
