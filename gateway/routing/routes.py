"""The one table of routes: path, resource, and the operations with their ids and scopes.

The application, authentication and the OpenAPI document read it. An operation
without a scope refuses every caller, and a path that is not in the table does not exist. To add
a route, add it here or to a part of the table, and add its resource to `gateway.app`.
"""

from __future__ import annotations

from gateway.routing.access_routes import ACCESS_ROUTES
from gateway.routing.batch_routes import BATCH_ROUTES
from gateway.routing.dashboard_routes import DASHBOARD_ROUTES
from gateway.routing.openfaas_routes import OPENFAAS_ROUTES
from gateway.routing.operation import Route
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
from gateway.routing.problem_codes import ADMISSION, BODY, FINISHED, READS, UNKNOWN, WRITES
from gateway.routing.raw_routes import RAW_ROUTES
from gateway.routing.schedule_routes import SCHEDULE_ROUTES
from gateway.routing.system_routes import SYSTEM_ROUTES

ROUTES: tuple[Route, ...] = (
    Route("/functions/{name}", "function", "functions")
    .act(
        "POST",
        "invoke",
        "Invoke a function",
        permission="invoke",
        query=CALL_OPTION_PARAMETERS,
        reads_own_query=True,
        problems=(
            *BODY,
            *("invalid_multipart", "callback_url_invalid", "invocation_gone"),
            *ADMISSION,
            *FINISHED,
        ),
        body="call",
        waits=True,
        admits=True,
    )
    .get(
        "get_function",
        "Get a function with its schemas, options and statistics",
        permission="see",
        problems=("function_not_found", *READS),
    ),
    Route("/functions/{name}/relock", "relocking", "functions").act(
        "POST",
        "relock_function",
        "Resolve a function's dependencies anew",
        problems=("function_not_found", *WRITES),
    ),
    Route("/functions", "functions", "functions").get(
        "list_functions", "List functions", permission="any", problems=READS
    ),
    Route("/invocations", "invocations", "invocations").get(
        "list_invocations", "List invocations, newest first", query=HISTORY, problems=READS
    ),
    Route("/invocations/retry", "bulk_retry", "invocations")
    .get(
        "count_retries",
        "Count matching finished invocations that have not been retried",
        query=COUNTED_RETRY,
        problems=READS,
    )
    .act(
        "POST",
        "retry_invocations",
        "Retry every matching invocation, each at most once",
        query=BULK_RETRY,
        problems=("queue_full", *WRITES),
    ),
    Route("/invocations/cancel", "bulk_cancel", "invocations")
    .get(
        "count_cancels",
        "Count unfinished invocations that match the filter",
        query=COUNTED_CANCEL,
        problems=READS,
    )
    .act(
        "POST",
        "cancel_invocations",
        "Cancel every matching invocation that has not finished",
        query=BULK_CANCEL,
        problems=WRITES,
    ),
    Route("/invocations/{invocation_id}", "invocation", "invocations")
    .get(
        "get_invocation",
        "Get an invocation, or wait until it finishes",
        permission="follow",
        problems=(*UNKNOWN, *READS),
        waits=True,
    )
    .act(
        "DELETE",
        "cancel_invocation",
        "Cancel an invocation that has not finished",
        permission="steer",
        problems=(*UNKNOWN, "invocation_finished", *WRITES),
    ),
    Route("/invocations/{invocation_id}/retry", "one_retry", "invocations").act(
        "POST",
        "retry_invocation",
        "Retry an invocation with the same arguments",
        permission="steer",
        problems=(*UNKNOWN, "invocation_unfinished", *ADMISSION, *FINISHED),
        waits=True,
        admits=True,
    ),
    Route("/invocations/{invocation_id}/result", "result", "invocations").get(
        "get_invocation_result",
        "Get the result alone",
        permission="follow",
        problems=(*UNKNOWN, "invocation_unfinished", *FINISHED, *READS),
        waits=True,
    ),
    Route("/invocations/{invocation_id}/logs", "logs", "invocations").get(
        "get_invocation_logs",
        "Get what the function printed and logged",
        permission="follow",
        query=(ATTEMPT,),
        problems=(*UNKNOWN, *READS),
    ),
    Route("/invocations/{invocation_id}/events", "events", "invocations").get(
        "follow_invocation",
        "Follow an invocation live with server-sent events",
        permission="follow",
        query=(LAST_EVENT_ID,),
        problems=(*UNKNOWN, *READS),
    ),
    *RAW_ROUTES,
    *SCHEDULE_ROUTES,
    *BATCH_ROUTES,
    *SYSTEM_ROUTES,
    *ACCESS_ROUTES,
    *DASHBOARD_ROUTES,
    *OPENFAAS_ROUTES,
)
BY_TEMPLATE = {
    (route.path, operation.method): operation for route in ROUTES for operation in route.operations
}
_OPEN = [
    (operation.method, route.path)
    for route in ROUTES
    for operation in route.operations
    if operation.permission == "open"
]
OPEN_PATHS = frozenset((method, path) for method, path in _OPEN if "{" not in path)
OPEN_PREFIXES = tuple({path.partition("{")[0] for _, path in _OPEN if "{" in path})


def allowed_methods(template: str) -> tuple[str, ...]:
    """Return the methods of a path template; HEAD is allowed wherever GET is."""
    methods = [method for path, method in BY_TEMPLATE if path == template]
    implied = [*(["HEAD"] if "GET" in methods else []), "OPTIONS"]
    return tuple(dict.fromkeys([*methods, *implied]))
