"""The shapes that do not depend on which functions are published."""

from __future__ import annotations

from typing import Any

from gateway.openapi.json_schema import ANY_OBJECT
from gateway.problems import KINDS
from runtime.invocations.status import Status

_MOMENT = {"type": ["string", "null"], "format": "date-time"}
_COUNT = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MAYBE_COUNT = {"type": ["integer", "null"], "minimum": 0}
_MAYBE_ANY_OBJECT = {**ANY_OBJECT, "type": ["object", "null"]}
ERROR_TYPES = (
    "exception",
    "timeout",
    "worker_lost",
    "out_of_memory",
    "exited",
    "result_not_serializable",
    "result_too_large",
    "rejected",
    "arguments_invalid",
)


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }


SCHEMAS: dict[str, dict[str, Any]] = {
    "Problem": {
        "description": "An error (RFC 9457). `code` is stable; `detail` is for people.",
        **_object(
            {
                "type": {"type": "string", "format": "uri-reference"},
                "title": _TEXT,
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": _TEXT,
                "instance": {"type": "string", "format": "uri-reference"},
                "code": {"type": "string", "enum": sorted(KINDS)},
                "errors": {
                    "type": "array",
                    "description": "Each wrong argument by a JSON pointer into the body, each "
                    "wrong query parameter as `?name`.",
                    "items": _object({"pointer": _TEXT, "detail": _TEXT}),
                },
                "invocation": {"$ref": "#/components/schemas/Invocation"},
            },
            ["type", "title", "status", "detail", "code"],
        ),
    },
    "Status": {"type": "string", "enum": [status.value for status in Status]},
    "InvocationError": {
        **_object(
            {
                "type": {"type": "string", "enum": list(ERROR_TYPES)},
                "message": _TEXT,
                "traceback": _MAYBE_TEXT,
                "exception_type": _MAYBE_TEXT,
                "errors": {
                    "type": "array",
                    "description": "With `arguments_invalid`: each wrong argument, by a JSON "
                    "pointer into the arguments.",
                    "items": _object({"pointer": _TEXT, "detail": _TEXT}),
                },
            },
            ["type", "message"],
        )
    },
    "Callback": {
        "description": "Where a callback stands; `delivery` once there is something to send.",
        **_object(
            {
                "url": {"type": "string", "format": "uri"},
                "status": _TEXT,
                "attempts": _COUNT,
                "delivery": _MAYBE_TEXT,
            }
        ),
    },
    "InvocationRequest": {
        "description": "The HTTP request behind a call. Headers and query parameters that hold "
        "secrets, by their names, show `***`; the function got them as they came.",
        **_object(
            {
                "method": _TEXT,
                "path": _TEXT,
                "query": {
                    "type": "object",
                    "additionalProperties": {
                        "anyOf": [_TEXT, {"type": "array", "items": _TEXT}],
                    },
                },
                "headers": {"type": "object", "additionalProperties": _TEXT},
                "body": {
                    **_MAYBE_TEXT,
                    "description": "Null without one, and where it is too long to be shown: then "
                    "`body_omitted` is true.",
                },
                "body_encoding": {"type": ["string", "null"], "enum": ["text", "base64", None]},
                "body_bytes": _COUNT,
                "body_omitted": {"type": "boolean"},
            },
            ["method", "path", "query", "headers", "body", "body_encoding", "body_bytes"],
        ),
    },
    "Invocation": {
        "description": "One call of a function, from acceptance to its end.",
        **_object(
            {
                "id": {"type": "string", "format": "uuid"},
                "function": _TEXT,
                "version": _TEXT,
                "status": {"$ref": "#/components/schemas/Status"},
                "attempt": _COUNT,
                "attempts": {
                    "type": "array",
                    "description": "The first five, the last twenty before this one, and this "
                    "one; tracebacks of the last ones. Empty in lists when long, and then "
                    "`attempts_omitted`; `error` and `progress` are null then in the same way.",
                    "items": _object(
                        {
                            "attempt": _COUNT,
                            "started_at": _MOMENT,
                            "finished_at": _MOMENT,
                            "worker": _MAYBE_TEXT,
                            "outcome": _MAYBE_TEXT,
                            "error": {
                                "anyOf": [
                                    {"$ref": "#/components/schemas/InvocationError"},
                                    {"type": "null"},
                                ]
                            },
                        }
                    ),
                },
                "arguments": {
                    **_MAYBE_ANY_OBJECT,
                    "description": "Secrets are masked. Null in lists when long, and then "
                    "`arguments_omitted`.",
                },
                "request": {
                    "description": "The HTTP request, of a function that takes it; null in lists "
                    "when long, and then `request_omitted`.",
                    "anyOf": [{"$ref": "#/components/schemas/InvocationRequest"}, {"type": "null"}],
                },
                "result": {"description": "JSON, or base64 of a result of bytes."},
                "error": {
                    "anyOf": [{"$ref": "#/components/schemas/InvocationError"}, {"type": "null"}]
                },
                "progress": _MAYBE_ANY_OBJECT,
                "tags": {"type": "array", "items": _TEXT},
                "queue": _TEXT,
                "created_at": {"type": "string", "format": "date-time"},
                "scheduled_for": _MOMENT,
                "started_at": _MOMENT,
                "finished_at": _MOMENT,
                "queued_ms": _MAYBE_COUNT,
                "duration_ms": _MAYBE_COUNT,
                "worker": _MAYBE_TEXT,
                "retry_of": _MAYBE_TEXT,
                "retried_by": _MAYBE_TEXT,
                "batch": _MAYBE_TEXT,
                "caller": {**_MAYBE_TEXT, "description": "The name of the key that called."},
                "callback": {
                    "anyOf": [{"$ref": "#/components/schemas/Callback"}, {"type": "null"}]
                },
                "links": {"type": "object", "additionalProperties": _TEXT},
            }
        ),
    },
    "Function": {
        "description": "A published function, as the gateway knows it.",
        **_object(
            {
                "name": _TEXT,
                "version": _MAYBE_TEXT,
                "summary": _TEXT,
                "description": _TEXT,
                "parameters": {**ANY_OBJECT, "description": "JSON Schema of the arguments."},
                "returns": {**ANY_OBJECT, "description": "JSON Schema of the result."},
                "options": ANY_OBJECT,
                "queue": _TEXT,
                "window": {
                    **_COUNT,
                    "description": "How many of its attempts one runner process may run at the "
                    "same time: its option `per_process`, or the default of what it is.",
                },
                "state": {
                    "type": "string",
                    "enum": ["serving", "loading", "unavailable"],
                    "description": "`serving`: a version takes calls (`error` says if it is not "
                    "the one on disk). `loading`: its file was seen, nothing serves yet; calls "
                    "wait a moment. `unavailable`: no version has loaded, `error` says why.",
                },
                "error": {
                    "anyOf": [
                        {"type": "null"},
                        _object(
                            {
                                "type": _TEXT,
                                "message": _TEXT,
                                "file": _TEXT,
                                "line": {"type": ["integer", "null"]},
                            }
                        ),
                    ]
                },
                "stats": {"type": "object", "additionalProperties": _COUNT},
                "links": {"type": "object", "additionalProperties": _TEXT},
            }
        ),
    },
    "FunctionList": _object(
        {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Function"}},
            "next": _MAYBE_TEXT,
        }
    ),
    "Delivery": {
        "description": "The sending of one callback, with every attempt.",
        **_object(
            {
                "id": _TEXT,
                "invocation": {**_MAYBE_TEXT, "description": "Whose end it tells."},
                "batch": {**_MAYBE_TEXT, "description": "Or which batch's end."},
                "url": {"type": "string", "format": "uri"},
                "status": {
                    "type": "string",
                    "enum": ["pending", "delivered", "failed", "stopped"],
                },
                "attempts": {
                    "type": "array",
                    "items": _object(
                        {
                            "at": {"type": "string", "format": "date-time"},
                            "duration_ms": _COUNT,
                            "status_code": {"type": ["integer", "null"]},
                            "error": _MAYBE_TEXT,
                        }
                    ),
                },
                "next_at": _MOMENT,
                "webhook_id": _TEXT,
                "links": {"type": "object", "additionalProperties": _TEXT},
            }
        ),
    },
    "DeliveryList": _object(
        {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Delivery"}},
            "next": _MAYBE_TEXT,
        }
    ),
}
