"""What the document says of callbacks: the request a receiver gets, and what it may answer."""

from __future__ import annotations

from typing import Any

from gateway.openapi.json_schema import component_ref

Json = dict[str, Any]
_SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
_OURS = ("X-Call-Id", "X-Function-Name", "X-Function-Status")
_ATTEMPT: Json = {
    "name": "webhook-attempt",
    "in": "header",
    "required": True,
    "description": "Which attempt this is, from 1. It is not signed; the body and the webhook-id "
    "are the same in all of them.",
    "schema": {"type": "integer", "minimum": 1},
}


def invocation_callback(schema: str) -> Json:
    """Return what is called back when an invocation has ended; `schema` is the invocation's."""
    return _callback_of(
        "The finished invocation",
        "Signed as Standard Webhooks says; a result over 20 kB is left out and linked. 2xx is "
        "success, 410 stops, all else is tried again.",
        type_pattern="^invocation\\.",
        data=component_ref(schema),
    )


def batch_callback() -> Json:
    """Return what is called back once the last member of a batch has ended."""
    return _callback_of(
        "The finished batch",
        "Sent once, when the last has ended, signed as Standard Webhooks says: the counts, not "
        "the results.",
        type_pattern="^batch\\.finished$",
        data=component_ref("Batch"),
    )


def _callback_of(summary: str, description: str, *, type_pattern: str, data: Json) -> Json:
    payload: Json = {
        "type": "object",
        "properties": {
            "type": {"type": "string", "pattern": type_pattern},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": data,
        },
        "required": ["type", "timestamp", "data"],
    }
    return {
        "{$request.header.X-Callback-Url}": {
            "post": {
                "summary": summary,
                "description": description,
                "parameters": [
                    {
                        "name": header,
                        "in": "header",
                        "required": True,
                        "schema": {"type": "string"},
                    }
                    for header in (*_SIGNED, *_OURS)
                ]
                + [_ATTEMPT],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": payload}},
                },
                "responses": {
                    "2XX": {"description": "Received."},
                    "410": {"description": "Never send to this address again."},
                },
                "security": [],  # receivers know us by the signature
            }
        }
    }
