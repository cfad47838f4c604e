"""The operations of the document that do not depend on the published functions."""

from __future__ import annotations

import re
from typing import Any

from gateway.openapi.callbacks import batch_callback
from gateway.openapi.descriptions import operation_description
from gateway.openapi.function_paths import (
    PACE_HEADERS,
    header_refs,
    query_parameter,
)
from gateway.openapi.header_components import problem_responses
from gateway.openapi.json_schema import ANY_OBJECT, BINARY, component_ref
from gateway.openapi.security import key_problems, security_of
from gateway.problems import KINDS
from gateway.routing.operation import Operation, Route
from gateway.routing.parameters import CURSOR

Json = dict[str, Any]
_NO_CONTENT = "204"
_HOLE = re.compile(r"{(\w+)}")
_JSON = "application/json"
_OK: dict[str, Json] = {
    "list_functions": {_JSON: {"schema": component_ref("FunctionList")}},
    "get_function": {_JSON: {"schema": component_ref("Function")}},
    "list_invocations": {_JSON: {"schema": component_ref("InvocationList")}},
    "cancel_invocation": {_JSON: {"schema": component_ref("CancelledInvocation")}},
    "retry_invocation": {_JSON: {"schema": component_ref("Invocation")}},
    "count_retries": {_JSON: {"schema": component_ref("Matches")}},
    "retry_invocations": {_JSON: {"schema": component_ref("Retries")}},
    "count_cancels": {_JSON: {"schema": component_ref("Matches")}},
    "cancel_invocations": {_JSON: {"schema": component_ref("Cancels")}},
    "submit_batch": {_JSON: {"schema": component_ref("Batch")}},
    "get_batch": {_JSON: {"schema": component_ref("Batch")}},
    "cancel_batch": {_JSON: {"schema": component_ref("CancelledBatch")}},
    "retry_batch": {_JSON: {"schema": component_ref("Retries")}},
    "list_workers": {_JSON: {"schema": component_ref("WorkerList")}},
    "publish_functions": {_JSON: {"schema": component_ref("Publishing")}},
    "list_quarantine": {_JSON: {"schema": component_ref("QuarantineList")}},
    "readyz": {_JSON: {"schema": component_ref("Readiness")}},
    "list_queues": {_JSON: {"schema": component_ref("QueueList")}},
    "change_queue": {_JSON: {"schema": component_ref("Queue")}},
    "list_checks": {_JSON: {"schema": component_ref("CheckList")}},
    "ask_check": {_JSON: {"schema": component_ref("Check")}},
    "get_check": {_JSON: {"schema": component_ref("Check")}},
    "purge_queue": {_JSON: {"schema": component_ref("Purge")}},
    "get_invocation": {_JSON: {"schema": component_ref("Invocation")}},
    "get_invocation_result": {
        # Bytes come first: a generator that reads one media type only can treat JSON as bytes.
        "application/octet-stream": {"schema": BINARY},
        _JSON: {"schema": {}},
    },
    "get_invocation_logs": {"text/plain": {"schema": {"type": "string"}}},
    "follow_invocation": {"text/event-stream": {"schema": {"type": "string"}}},
    "list_deliveries": {_JSON: {"schema": component_ref("DeliveryList")}},
    "get_delivery": {_JSON: {"schema": component_ref("Delivery")}},
    "redeliver": {_JSON: {"schema": component_ref("Delivery")}},
    "list_schedules": {_JSON: {"schema": component_ref("ScheduleList")}},
    "create_schedule": {_JSON: {"schema": component_ref("Schedule")}},
    "get_schedule": {_JSON: {"schema": component_ref("Schedule")}},
    "change_schedule": {_JSON: {"schema": component_ref("Schedule")}},
    "fire_schedule": {_JSON: {"schema": component_ref("Invocation")}},
    "list_keys": {_JSON: {"schema": component_ref("KeyList")}},
    "create_key": {_JSON: {"schema": component_ref("CreatedKey")}},
    "get_session": {_JSON: {"schema": component_ref("Session")}},
    "log_in": {_JSON: {"schema": component_ref("Session")}},
    "openapi_yaml": {"application/yaml": {"schema": {"description": "This document."}}},
    "metrics": {"text/plain": {"schema": {"type": "string"}}},
    "get_statistics": {_JSON: {"schema": component_ref("Statistics")}},
    "docs": {"text/html": {"schema": {"type": "string"}}},
    "problem": {"text/html": {"schema": {"type": "string"}}},
}
_BODIES: dict[str, Json] = {
    "submit_batch": {
        _JSON: {"schema": component_ref("BatchItems")},
        "application/x-ndjson": {
            "schema": {"type": "string", "description": "One JSON object per line."}
        },
    },
    "change_queue": {_JSON: {"schema": component_ref("QueueChange")}},
    "ask_check": {_JSON: {"schema": component_ref("NewCheck")}},
    "create_schedule": {_JSON: {"schema": component_ref("NewSchedule")}},
    "change_schedule": {_JSON: {"schema": component_ref("ScheduleChange")}},
    "create_key": {_JSON: {"schema": component_ref("NewKey")}},
    "log_in": {_JSON: {"schema": component_ref("Login")}},
}
_MAY_LACK_BODY = {"ask_check"}
_ACCEPTED = ("202", "The request was accepted.")
_STATUSES = {
    "create_schedule": ("201", "The schedule was created; `Location` is its path."),
    "delete_schedule": ("204", "The schedule was deleted."),
    "create_key": ("201", "The key was created. No other response shows its text."),
    "revoke_key": ("204", "The key was revoked."),
    "log_out": ("204", "The session has ended."),
    "fire_schedule": _ACCEPTED,
    "redeliver": _ACCEPTED,
    "publish_functions": _ACCEPTED,
    "ask_check": _ACCEPTED,
    "submit_batch": _ACCEPTED,
    "cancel_invocation": _ACCEPTED,
    "cancel_batch": _ACCEPTED,
    "retry_invocation": _ACCEPTED,
    "retry_invocations": _ACCEPTED,
    "cancel_invocations": _ACCEPTED,
    "retry_batch": _ACCEPTED,
}
_ANSWERS_BESIDE: dict[str, Json] = {
    "follow_invocation": {_NO_CONTENT: {"description": "The client has already received `end`."}},
}
_CALLING_BACK = frozenset({"submit_batch"})
_ANY_OBJECT: Json = {_JSON: {"schema": ANY_OBJECT}}
_TAGGED = frozenset(
    {"get_invocation", "get_invocation_result", "get_statistics", "openapi_json", "openapi_yaml"}
)
_DESCRIPTIONS = {
    "id": "The id of the delivery.",
    "delivery_id": "The id of the delivery.",
    "batch_id": "The id of the batch, a UUIDv7.",
    "check_id": "The id of the check, or `last` for the check that finished last.",
    "invocation_id": "The id of the invocation, a UUIDv7.",
    "name": "The name of the function or of the queue.",
    "key_id": "The id of the API key.",
    "worker_id": "The id of the worker, as shown by GET /workers.",
    "code": "The problem code.",
    "schedule_id": "The id of the schedule; if a function declares it, the name of the function.",
}


def fixed_operation(route: Route, operation: Operation, responses: Json) -> Json:
    """Return an operation of the route table as OpenAPI.

    Args:
        route: The route of the operation.
        operation: The operation.
        responses: The response components; those that are missing are added.
    """
    status, said = _STATUSES.get(operation.id, ("200", "The request succeeded."))
    success: Json = {"description": said}
    if status != _NO_CONTENT:
        success["content"] = _OK.get(operation.id, _ANY_OBJECT)
    answers = {status: success, **_ANSWERS_BESIDE.get(operation.id, {})}
    parameters: list[Json | str] = [path_parameter(name) for name in _HOLE.findall(route.path)]
    parameters += map(query_parameter, operation.query)
    if operation.waits:
        parameters.append("Prefer")
    if operation.admits:
        parameters.append("Idempotency-Key")
        success["headers"] = header_refs("Location", "Idempotency-Replayed", *PACE_HEADERS)
    calls_back = operation.id in _CALLING_BACK
    if calls_back:
        parameters.append("X-Callback-Url")
    if operation.admits and operation.waits:
        answers["200"] = {
            **success,
            "description": "The invocation succeeded while the caller waited.",
        }
    if CURSOR in operation.query:
        success["headers"] = header_refs("Link")
    if operation.id in _TAGGED:
        parameters.append("If-None-Match")
        success["headers"] = header_refs("ETag")
        answers["304"] = {"description": "The entity tag in If-None-Match still matches."}
    problems = (*operation.problems, *key_problems(operation))
    if operation.query:
        problems = (*problems, "parameter_invalid")
    body = _BODIES.get(operation.id)
    return {
        "operationId": operation.id,
        "tags": [route.tag],
        "summary": operation.summary,
        "description": operation_description(operation),
        "parameters": parameters,
        **(
            {"requestBody": {"required": operation.id not in _MAY_LACK_BODY, "content": body}}
            if body
            else {}
        ),
        "responses": {**answers, **problem_responses(problems, responses)},
        **({"callbacks": {"finished": batch_callback()}} if calls_back else {}),
        "security": security_of(operation),
    }


def path_parameter(name: str) -> Json:
    """Return a path parameter of the route table as OpenAPI."""
    schema: Json = {"type": "string"}
    if name == "code":
        schema["enum"] = sorted(KINDS)
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": _DESCRIPTIONS.get(name, name),
        "schema": schema,
    }
