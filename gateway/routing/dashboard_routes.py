"""The part of the route table for the dashboard and the statistics it draws."""

from __future__ import annotations

from gateway.routing.operation import QueryParameter, Route
from gateway.routing.parameters import OF_FUNCTION
from gateway.routing.problem_codes import READS

MOST_MINUTES = 1_440
MINUTES = QueryParameter(
    "minutes", "How many minutes to look back. Default: 60.", minimum=1, maximum=MOST_MINUTES
)


def _page_route(path: str, resource: str, operation_id: str, summary: str) -> Route:
    """Return an open route: the page holds no data, and the API that feeds it checks the key."""
    route = Route(path, resource, "documents", is_documented=False)
    return route.get(operation_id, summary, permission="open", reads_own_query=True)


DASHBOARD_ROUTES: tuple[Route, ...] = (
    Route("/statistics", "statistics", "health").get(
        "get_statistics",
        "Get counts and durations of recently finished invocations",
        query=(MINUTES, OF_FUNCTION),
        problems=READS,
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
