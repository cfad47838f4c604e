"""The part of the route table that the dashboard is made of, and the statistics it draws."""

from __future__ import annotations

from gateway.routing.operation import Operation, QueryParameter, Route, get_route
from gateway.routing.parameters import OF_FUNCTION

MOST_MINUTES = 1_440
MINUTES = QueryParameter(
    name="minutes",
    description="How many minutes back; 60 if not given.",
    minimum=1,
    maximum=MOST_MINUTES,
)


def _page_route(path: str, resource: str, operation_id: str, summary: str) -> Route:
    """Return a route of the page itself: it shows nothing but what its reader's key may read."""
    operation = Operation(
        method="GET", id=operation_id, summary=summary, scope="open", reads_own_query=True
    )
    return Route(
        path=path,
        resource=resource,
        tag="documents",
        operations=(operation,),
        is_documented=False,
    )


DASHBOARD_ROUTES: tuple[Route, ...] = (
    get_route(
        "/statistics",
        "statistics",
        "health",
        "get_statistics",
        "What ended in the last minutes, and how long it took",
        query=(MINUTES, OF_FUNCTION),
        problems=("store_unavailable",),
    ),
    _page_route("/dashboard", "dashboard", "dashboard", "The dashboard"),
    _page_route("/dashboard/{view:path}", "dashboard", "dashboard_view", "A view of the dashboard"),
    _page_route(
        "/dashboard/assets/{version}/{file:path}",
        "dashboard_asset",
        "dashboard_asset",
        "A file the dashboard is made of",
    ),
)
