"""The one table of routes: path, resource, and the operations with their ids and scopes.

The application, authentication and the OpenAPI document read it. An operation
without a scope refuses every caller, and a path that is not in the table does not exist. To add
a route, add it here or to a part of the table, and add its resource to `gateway.app`.
"""

from __future__ import annotations

from gateway.routing.access_routes import ACCESS_ROUTES
from gateway.routing.batch_routes import BATCH_ROUTES
from gateway.routing.dashboard_routes import DASHBOARD_ROUTES
from gateway.routing.operation import Operation, Route, act_route, get_route
from gateway.routing.parameters import (
    ATTEMPT,
    BULK_CANCEL,
    BULK_RETRY,
    CALL_OPTION_PARAMETERS,
    COUNTED_CANCEL,
    COUNTED_RETRY,
    HISTORY,
    LAST_EVENT_ID,
)
from gateway.routing.schedule_routes import SCHEDULE_ROUTES
from gateway.routing.system_routes import STORE, SYSTEM_ROUTES

FINISHED = (
    *("function_failed", "function_timeout", "rejected", "arguments_invalid"),
    *("invocation_cancelled", "invocation_expired"),
)
UNKNOWN = ("invocation_not_found", "invocation_gone")
INVOKE_PROBLEMS = (
    "invalid_json",
    "invalid_multipart",
    "function_not_found",
    "body_too_large",
    "unsupported_media_type",
    "arguments_invalid",
    "parameter_invalid",
    "idempotency_key_reused",
    "callback_url_invalid",
    "rate_limited",
    "queue_full",
    "invocation_gone",
    "function_unavailable",
    "store_unavailable",
    "store_refused",
    *FINISHED,
)
RETRY_PROBLEMS = (
    *UNKNOWN,
    "invocation_unfinished",
    "function_not_found",
    "arguments_invalid",
    "parameter_invalid",
    "idempotency_key_reused",
    "rate_limited",
    "queue_full",
    "function_unavailable",
    "store_unavailable",
    "store_refused",
    *FINISHED,
)

ROUTES: tuple[Route, ...] = (
    Route(
        path="/functions/{name}",
        resource="function",
        tag="functions",
        operations=(
            Operation(
                method="POST",
                id="invoke",
                summary="Invoke a function",
                scope="invoke",
                query=CALL_OPTION_PARAMETERS,
                reads_own_query=True,
                problems=INVOKE_PROBLEMS,
                body="call",
                waits=True,
                admits=True,
            ),
            Operation(
                method="GET",
                id="get_function",
                summary="Get a function with its schemas, options and statistics",
                scope="see",
                problems=("function_not_found", *STORE),
            ),
        ),
    ),
    get_route(
        "/functions",
        "functions",
        "functions",
        "list_functions",
        "List functions",
        scope="any",
        problems=STORE,
    ),
    get_route(
        "/invocations",
        "invocations",
        "invocations",
        "list_invocations",
        "List invocations, newest first",
        query=HISTORY,
        problems=STORE,
    ),
    Route(
        path="/invocations/retry",
        resource="bulk_retry",
        tag="invocations",
        operations=(
            Operation(
                method="GET",
                id="count_retries",
                summary="Count matching finished invocations that have not been retried",
                scope="read",
                query=COUNTED_RETRY,
                problems=STORE,
            ),
            Operation(
                method="POST",
                id="retry_invocations",
                summary="Retry every matching invocation, each at most once",
                scope="operate",
                query=BULK_RETRY,
                problems=("queue_full", *STORE, "store_refused"),
            ),
        ),
    ),
    Route(
        path="/invocations/cancel",
        resource="bulk_cancel",
        tag="invocations",
        operations=(
            Operation(
                method="GET",
                id="count_cancels",
                summary="Count unfinished invocations that match the filter",
                scope="read",
                query=COUNTED_CANCEL,
                problems=STORE,
            ),
            Operation(
                method="POST",
                id="cancel_invocations",
                summary="Cancel every matching invocation that has not finished",
                scope="operate",
                query=BULK_CANCEL,
                problems=(*STORE, "store_refused"),
            ),
        ),
    ),
    Route(
        path="/invocations/{invocation_id}",
        resource="invocation",
        tag="invocations",
        operations=(
            Operation(
                method="GET",
                id="get_invocation",
                summary="Get an invocation, or wait until it finishes",
                scope="follow",
                problems=(*UNKNOWN, *STORE),
                waits=True,
            ),
            Operation(
                method="DELETE",
                id="cancel_invocation",
                summary="Cancel an invocation that has not finished",
                scope="steer",
                problems=(*UNKNOWN, "invocation_finished", *STORE, "store_refused"),
            ),
        ),
    ),
    act_route(
        "POST",
        "/invocations/{invocation_id}/retry",
        "one_retry",
        "invocations",
        "retry_invocation",
        "Retry an invocation with the same arguments",
        scope="steer",
        problems=RETRY_PROBLEMS,
        waits=True,
        admits=True,
    ),
    get_route(
        "/invocations/{invocation_id}/result",
        "result",
        "invocations",
        "get_invocation_result",
        "Get the result alone",
        scope="follow",
        problems=(*UNKNOWN, "invocation_unfinished", *FINISHED, *STORE),
        waits=True,
    ),
    get_route(
        "/invocations/{invocation_id}/logs",
        "logs",
        "invocations",
        "get_invocation_logs",
        "Get what the function printed and logged",
        scope="follow",
        query=(ATTEMPT,),
        problems=(*UNKNOWN, *STORE),
    ),
    get_route(
        "/invocations/{invocation_id}/events",
        "events",
        "invocations",
        "follow_invocation",
        "Follow an invocation live with server-sent events",
        scope="follow",
        query=(LAST_EVENT_ID,),
        problems=(*UNKNOWN, *STORE),
    ),
    *SCHEDULE_ROUTES,
    *BATCH_ROUTES,
    *SYSTEM_ROUTES,
    *ACCESS_ROUTES,
    *DASHBOARD_ROUTES,
)
BY_TEMPLATE = {
    (route.path, operation.method): operation for route in ROUTES for operation in route.operations
}
_OPEN = [
    (operation.method, route.path)
    for route in ROUTES
    for operation in route.operations
    if operation.scope == "open"
]
OPEN_PATHS = frozenset((method, path) for method, path in _OPEN if "{" not in path)
OPEN_PREFIXES = tuple({path.partition("{")[0] for _, path in _OPEN if "{" in path})


def allowed_methods(template: str) -> tuple[str, ...]:
    """Return the methods of a path template; HEAD is allowed wherever GET is."""
    methods = [method for path, method in BY_TEMPLATE if path == template]
    return (*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS")
