"""The part of the route table for batches."""

from __future__ import annotations

from gateway.routing.operation import Route
from gateway.routing.parameters import BATCH_PAGE, BATCH_RETRY, CALL_OPTION_PARAMETERS
from gateway.routing.problem_codes import ADMISSION, BODY, READS, UNKNOWN_BATCH, WRITES

BATCH_ROUTES: tuple[Route, ...] = (
    Route("/functions/{name}/batch", "function_batch", "batches").act(
        "POST",
        "submit_batch",
        "Invoke a function many times in one request",
        permission="invoke",
        query=CALL_OPTION_PARAMETERS,
        problems=(*BODY, "batch_gone", "batch_invalid", "callback_url_invalid", *ADMISSION),
        body="batch",
        admits=True,
    ),
    Route("/batches/{batch_id}", "batch", "batches")
    .get(
        "get_batch",
        "Get a batch, optionally with a page of its invocations",
        permission="follow",
        query=BATCH_PAGE,
        problems=(*UNKNOWN_BATCH, *READS),
    )
    .act(
        "DELETE",
        "cancel_batch",
        "Cancel every unfinished invocation of a batch",
        permission="steer",
        problems=(*UNKNOWN_BATCH, "batch_finished", *WRITES),
    ),
    Route("/batches/{batch_id}/retry", "batch_retry", "batches").act(
        "POST",
        "retry_batch",
        "Retry matching invocations of a batch, each at most once",
        permission="steer",
        query=BATCH_RETRY,
        problems=(*UNKNOWN_BATCH, "queue_full", *WRITES),
    ),
)
