"""The part of the route table for the dashboard and the statistics it draws."""

from __future__ import annotations

from gateway.routing.operation import Operation, QueryParameter, Route, get_route
from gateway.routing.parameters import OF_FUNCTION

MOST_MINUTES = 1_440
MINUTES = QueryParameter(
    name="minutes",
    description="How many minutes to look back. Default: 60.",
    minimum=1,
    maximum=MOST_MINUTES,
)


def _page_route(path: str, resource: str, operation_id: str, summary: str) -> Route:
    """Return an open route: the page holds no data, and the API that feeds it checks the key."""
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
        "Get counts and durations of recently finished invocations",
        query=(MINUTES, OF_FUNCTION),
        problems=("store_unavailable",),
    ),
    _page_route("/dashboard", "dashboard", "dashboard", "Get the dashboard"),
    _page_route(
        "/dashboard/{view:path}", "dashboard", "dashboard_view", "Get a view of the dashboard"
    ),
    _page_route(
        "/dashboard/assets/{version}/{file:path}",
        "dashboard_asset",
        "dashboard_asset",
        "Get a file of the dashboard",
    ),
)
