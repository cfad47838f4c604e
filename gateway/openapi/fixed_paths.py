"""The operations of the document that do not depend on the published functions."""

from __future__ import annotations

import re

from gateway.openapi.callbacks import batch_callback
from gateway.openapi.descriptions import operation_description
from gateway.openapi.function_paths import PACE_HEADERS, header_refs, query_parameter
from gateway.openapi.header_components import problem_responses
from gateway.openapi.json_schema import ANY_OBJECT, BINARY, TEXT, Json, component_ref, described
from gateway.openapi.security import key_problems, security_of
from gateway.problems import KINDS
from gateway.routing.operation import Operation, Route
from gateway.routing.parameters import CURSOR

_NO_CONTENT = "204"
_HOLE = re.compile(r"{(\w+)}")
_JSON = "application/json"
# The components that operations answer with and take, as JSON.
_SHOWN = {
    "list_functions": "FunctionList",
    "get_function": "Function",
    "list_invocations": "InvocationList",
    "cancel_invocation": "CancelledInvocation",
    "retry_invocation": "Invocation",
    "count_retries": "Matches",
    "retry_invocations": "Retries",
    "count_cancels": "Matches",
    "cancel_invocations": "Cancels",
    "submit_batch": "Batch",
    "get_batch": "Batch",
    "cancel_batch": "CancelledBatch",
    "retry_batch": "Retries",
    "list_workers": "WorkerList",
    "publish_functions": "Publishing",
    "list_environments": "EnvironmentList",
    "relock_function": "Relocking",
    "list_quarantine": "QuarantineList",
    "readyz": "Readiness",
    "list_queues": "QueueList",
    "change_queue": "Queue",
    "list_checks": "CheckList",
    "ask_check": "Check",
    "get_check": "Check",
    "purge_queue": "Purge",
    "get_invocation": "Invocation",
    "list_deliveries": "DeliveryList",
    "get_delivery": "Delivery",
    "redeliver": "Delivery",
    "list_schedules": "ScheduleList",
    "create_schedule": "Schedule",
    "get_schedule": "Schedule",
    "change_schedule": "Schedule",
    "fire_schedule": "Invocation",
    "list_keys": "KeyList",
    "create_key": "CreatedKey",
    "get_session": "Session",
    "log_in": "Session",
    "get_statistics": "Statistics",
}
_TAKEN = {
    "change_queue": "QueueChange",
    "ask_check": "NewCheck",
    "create_schedule": "NewSchedule",
    "change_schedule": "ScheduleChange",
    "create_key": "NewKey",
    "log_in": "Login",
}


def _as_json(schema: Json) -> Json:
    return {_JSON: {"schema": schema}}


_TEXT: Json = {"schema": TEXT}
_OK: dict[str, Json] = {
    **{operation_id: _as_json(component_ref(name)) for operation_id, name in _SHOWN.items()},
    "get_invocation_result": {
        # Bytes come first: a generator that reads one media type only can treat JSON as bytes.
        "application/octet-stream": {"schema": BINARY},
        **_as_json({}),
    },
    "get_invocation_logs": {"text/plain": _TEXT},
    "follow_invocation": {"text/event-stream": _TEXT},
    "openapi_yaml": {"application/yaml": {"schema": {"description": "This document."}}},
    "metrics": {"text/plain": _TEXT},
    "docs": {"text/html": _TEXT},
    "problem": {"text/html": _TEXT},
}
_BODIES: dict[str, Json] = {
    **{operation_id: _as_json(component_ref(name)) for operation_id, name in _TAKEN.items()},
    "submit_batch": {
        **_as_json(component_ref("BatchItems")),
        "application/x-ndjson": {"schema": described(TEXT, "One JSON object per line.")},
    },
}
_MAY_LACK_BODY = {"ask_check"}
_STATUSES = {
    "create_schedule": ("201", "The schedule was created; `Location` is its path."),
    "delete_schedule": ("204", "The schedule was deleted."),
    "create_key": ("201", "The key was created. No other response shows its text."),
    "revoke_key": ("204", "The key was revoked."),
    "log_out": ("204", "The session has ended."),
    **dict.fromkeys(
        (
            *("fire_schedule", "redeliver", "publish_functions", "ask_check", "submit_batch"),
            *("cancel_invocation", "cancel_batch", "retry_invocation", "retry_invocations"),
            *("cancel_invocations", "retry_batch", "relock_function"),
        ),
        ("202", "The request was accepted."),
    ),
}
_ANSWERS_BESIDE: dict[str, Json] = {
    "follow_invocation": {_NO_CONTENT: {"description": "The client has already received `end`."}},
}
_CALLING_BACK = frozenset({"submit_batch"})
_ANY_OBJECT = _as_json(ANY_OBJECT)
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
    body, is_needed = _BODIES.get(operation.id), operation.id not in _MAY_LACK_BODY
    return {
        "operationId": operation.id,
        "tags": [route.tag],
        "summary": operation.summary,
        "description": operation_description(operation),
        "parameters": parameters,
        **({"requestBody": {"required": is_needed, "content": body}} if body else {}),
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
