"""The part of the route table for batches."""

from __future__ import annotations

from gateway.routing.operation import Operation, Route, act_route
from gateway.routing.parameters import BATCH_PAGE, BATCH_RETRY, CALL_OPTION_PARAMETERS
from gateway.routing.system_routes import STORE

UNKNOWN_BATCH = ("batch_not_found", "batch_gone")
BATCH_PROBLEMS = (
    "invalid_json",
    "function_not_found",
    "batch_gone",
    "body_too_large",
    "unsupported_media_type",
    "batch_invalid",
    "arguments_invalid",
    "parameter_invalid",
    "idempotency_key_reused",
    "callback_url_invalid",
    "rate_limited",
    "queue_full",
    "function_unavailable",
    "store_unavailable",
    "store_refused",
)
BATCH_ROUTES: tuple[Route, ...] = (
    act_route(
        "POST",
        "/functions/{name}/batch",
        "function_batch",
        "batches",
        "submit_batch",
        "Invoke a function many times in one request",
        scope="invoke",
        query=CALL_OPTION_PARAMETERS,
        problems=BATCH_PROBLEMS,
        body="batch",
        admits=True,
    ),
    Route(
        path="/batches/{batch_id}",
        resource="batch",
        tag="batches",
        operations=(
            Operation(
                method="GET",
                id="get_batch",
                summary="Get a batch, optionally with a page of its invocations",
                scope="follow",
                query=BATCH_PAGE,
                problems=(*UNKNOWN_BATCH, *STORE),
            ),
            Operation(
                method="DELETE",
                id="cancel_batch",
                summary="Cancel every unfinished invocation of a batch",
                scope="steer",
                problems=(*UNKNOWN_BATCH, "batch_finished", *STORE, "store_refused"),
            ),
        ),
    ),
    act_route(
        "POST",
        "/batches/{batch_id}/retry",
        "batch_retry",
        "batches",
        "retry_batch",
        "Retry matching invocations of a batch, each at most once",
        scope="steer",
        query=BATCH_RETRY,
        problems=(*UNKNOWN_BATCH, "queue_full", *STORE, "store_refused"),
    ),
)
