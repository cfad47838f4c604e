"""The part of the route table for deliveries, queues, workers, checks, health and documents."""

from __future__ import annotations

from gateway.routing.operation import Operation, Route, act_route, get_route
from gateway.routing.parameters import CURSOR, DELIVERY_LIMIT, DELIVERY_STATUS, WITHDRAW_MISSING

STORE = ("store_unavailable",)

SYSTEM_ROUTES: tuple[Route, ...] = (
    get_route(
        "/deliveries",
        "deliveries",
        "deliveries",
        "list_deliveries",
        "List callback deliveries, newest first",
        query=(DELIVERY_STATUS, DELIVERY_LIMIT, CURSOR),
        problems=STORE,
    ),
    get_route(
        "/deliveries/{delivery_id}",
        "delivery",
        "deliveries",
        "get_delivery",
        "Get a delivery with every attempt",
        problems=("delivery_not_found", *STORE),
    ),
    Route(
        path="/deliveries/{delivery_id}/redeliver",
        resource="redelivery",
        tag="deliveries",
        operations=(
            Operation(
                method="POST",
                id="redeliver",
                summary="Send a callback again now",
                scope="operate",
                problems=("delivery_not_found", "invocation_gone", *STORE, "store_refused"),
            ),
        ),
    ),
    get_route("/workers", "workers", "system", "list_workers", "List workers", problems=STORE),
    act_route(
        "POST",
        "/workers/{worker_id}/publish",
        "worker_publishing",
        "system",
        "publish_functions",
        "Make a worker publish its functions folder",
        query=(WITHDRAW_MISSING,),
        problems=("worker_not_found", *STORE, "store_refused"),
    ),
    get_route("/queues", "queues", "system", "list_queues", "List queues", problems=STORE),
    act_route(
        "PATCH",
        "/queues/{name}",
        "queue",
        "system",
        "change_queue",
        "Pause or resume a queue",
        problems=("invalid_json", "queue_not_found", "arguments_invalid", *STORE, "store_refused"),
    ),
    act_route(
        "DELETE",
        "/queues/{name}/invocations",
        "queue_purge",
        "system",
        "purge_queue",
        "Cancel every waiting invocation of a queue",
        problems=("queue_not_found", *STORE, "store_refused"),
    ),
    get_route(
        "/quarantine",
        "quarantine",
        "system",
        "list_quarantine",
        "List invocations with missing or damaged records",
        problems=STORE,
    ),
    Route(
        path="/checks",
        resource="checks",
        tag="system",
        operations=(
            Operation(
                method="GET",
                id="list_checks",
                summary="List recent consistency checks, without their findings",
                scope="read",
                problems=STORE,
            ),
            Operation(
                method="POST",
                id="ask_check",
                summary="Start a consistency check of the data in Redis, with optional repair",
                scope="admin",
                problems=("invalid_json", "arguments_invalid", *STORE, "store_refused"),
            ),
        ),
    ),
    get_route(
        "/checks/{check_id}",
        "check",
        "system",
        "get_check",
        "Get the progress and the findings of a check",
        problems=("check_not_found", *STORE),
    ),
    get_route(
        "/livez",
        "livez",
        "health",
        "livez",
        "Check that the gateway process is alive",
        scope="open",
        problems=("method_not_allowed",),
    ),
    get_route(
        "/readyz",
        "readyz",
        "health",
        "readyz",
        "Check that the gateway can accept calls",
        scope="open",
        problems=("method_not_allowed", "not_ready"),
    ),
    get_route(
        "/metrics",
        "metrics",
        "health",
        "metrics",
        "Get the metrics of the whole system for Prometheus",
    ),
    get_route(
        "/openapi.json",
        "openapi_json",
        "documents",
        "openapi_json",
        "Get this document as JSON",
        scope="any",
    ),
    get_route(
        "/openapi.yaml",
        "openapi_yaml",
        "documents",
        "openapi_yaml",
        "Get this document as YAML",
        scope="any",
    ),
    get_route("/docs", "docs", "documents", "docs", "Get the API reference page", scope="any"),
    get_route(
        "/problems/{code}",
        "problem",
        "documents",
        "problem",
        "Get the meaning of a problem code",
        scope="open",
        problems=("not_found",),
    ),
    Route(
        path="/",
        resource="home",
        tag="documents",
        operations=(
            Operation(
                method="GET", id="home", summary="Redirect to the API reference page", scope="any"
            ),
        ),
        is_documented=False,
    ),
)
