"""The part of the route table for deliveries, queues, workers, checks, health and documents."""

from __future__ import annotations

from gateway.routing.operation import Route
from gateway.routing.parameters import CURSOR, DELIVERY_LIMIT, DELIVERY_STATUS, WITHDRAW_MISSING
from gateway.routing.problem_codes import READS, WRITES

SYSTEM_ROUTES: tuple[Route, ...] = (
    Route("/deliveries", "deliveries", "deliveries").get(
        "list_deliveries",
        "List callback deliveries, newest first",
        query=(DELIVERY_STATUS, DELIVERY_LIMIT, CURSOR),
        problems=READS,
    ),
    Route("/deliveries/{delivery_id}", "delivery", "deliveries").get(
        "get_delivery", "Get a delivery with every attempt", problems=("delivery_not_found", *READS)
    ),
    Route("/deliveries/{delivery_id}/redeliver", "redelivery", "deliveries").act(
        "POST",
        "redeliver",
        "Send a callback again now",
        problems=("delivery_not_found", "invocation_gone", *WRITES),
    ),
    Route("/workers", "workers", "system").get("list_workers", "List workers", problems=READS),
    Route("/workers/{worker_id}/publish", "worker_publishing", "system").act(
        "POST",
        "publish_functions",
        "Make a worker publish its functions folder",
        query=(WITHDRAW_MISSING,),
        problems=("worker_not_found", *WRITES),
    ),
    Route("/environments", "environments", "system").get(
        "list_environments", "List the environments of functions", problems=READS
    ),
    Route("/environments/{key}", "environment", "system").act(
        "DELETE",
        "delete_environment",
        "Delete an environment that no function needs",
        problems=("environment_not_found", "environment_in_use", *WRITES),
    ),
    Route("/queues", "queues", "system").get("list_queues", "List queues", problems=READS),
    Route("/queues/{name}", "queue", "system").act(
        "PATCH",
        "change_queue",
        "Pause or resume a queue",
        problems=("invalid_json", "queue_not_found", "arguments_invalid", *WRITES),
    ),
    Route("/queues/{name}/invocations", "queue_purge", "system").act(
        "DELETE",
        "purge_queue",
        "Cancel every waiting invocation of a queue",
        problems=("queue_not_found", *WRITES),
    ),
    Route("/quarantine", "quarantine", "system").get(
        "list_quarantine", "List invocations with missing or damaged records", problems=READS
    ),
    Route("/checks", "checks", "system")
    .get("list_checks", "List recent consistency checks, without their findings", problems=READS)
    .act(
        "POST",
        "ask_check",
        "Start a consistency check of the data in Redis, with optional repair",
        permission="admin",
        problems=("invalid_json", "arguments_invalid", *WRITES),
    ),
    Route("/checks/{check_id}", "check", "system").get(
        "get_check",
        "Get the progress and the findings of a check",
        problems=("check_not_found", *READS),
    ),
    Route("/livez", "livez", "health").get(
        "livez",
        "Check that the gateway process is alive",
        permission="open",
        problems=("method_not_allowed",),
    ),
    Route("/readyz", "readyz", "health").get(
        "readyz",
        "Check that the gateway can accept calls",
        permission="open",
        problems=("method_not_allowed", "not_ready"),
    ),
    Route("/metrics", "metrics", "health").get(
        "metrics", "Get the metrics of the whole system for Prometheus"
    ),
    Route("/openapi.json", "openapi_json", "documents").get(
        "openapi_json", "Get this document as JSON", permission="any"
    ),
    Route("/openapi.yaml", "openapi_yaml", "documents").get(
        "openapi_yaml", "Get this document as YAML", permission="any"
    ),
    Route("/docs", "docs", "documents").get("docs", "Get the API reference page", permission="any"),
    Route("/problems/{code}", "problem", "documents").get(
        "problem", "Get the meaning of a problem code", permission="open", problems=("not_found",)
    ),
    Route("/", "home", "documents", is_documented=False).get(
        "home", "Redirect to the API reference page", permission="any"
    ),
)
