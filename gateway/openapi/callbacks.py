"""Callbacks in the document: the request that a receiver gets, and the responses it may send."""

from __future__ import annotations

from gateway.openapi.json_schema import MOMENT, TEXT, Json, component_ref, described, object_of

_HEADERS = {
    "webhook-id": "The id of the delivery, the same in every attempt.",
    "webhook-timestamp": "When this attempt was signed, in seconds since the epoch.",
    "webhook-signature": "The signatures, as Standard Webhooks specifies.",
    "X-Call-Id": "The id of the invocation or of the batch.",
    "X-Function-Name": "The name of the function.",
    "X-Function-Status": "The final status of the invocation, or `finished` for a batch.",
}


def _header(name: str, description: str, schema: Json = TEXT) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": schema,
    }


_ATTEMPT = _header(
    "webhook-attempt",
    "The number of the attempt; the first is 1. It is not signed. The body and the webhook-id are "
    "the same in every attempt.",
    {"type": "integer", "minimum": 1},
)


def invocation_callback(schema: str) -> Json:
    """Return the callback of an invocation; `schema` names the component of the invocation."""
    return _callback_of(
        "The finished invocation",
        "Sent when the invocation has finished, signed as Standard Webhooks specifies. A result "
        "over 20 kB is left out; `links` has its address. A 2xx response is success, 410 stops the "
        "delivery, and after any other response the callback is sent again.",
        type_pattern="^invocation\\.",
        data=component_ref(schema),
    )


def batch_callback() -> Json:
    """Return the callback of a batch."""
    return _callback_of(
        "The finished batch",
        "Sent when the last invocation has finished, signed as Standard Webhooks specifies. It has "
        "the counts, not the results.",
        type_pattern="^batch\\.finished$",
        data=component_ref("Batch"),
    )


def _callback_of(summary: str, description: str, *, type_pattern: str, data: Json) -> Json:
    payload = object_of(
        type={
            "type": "string",
            "pattern": type_pattern,
            "description": "The kind of event, with the final status.",
        },
        timestamp=described(MOMENT, "When it finished."),
        data=data,
    )
    return {
        "{$request.header.X-Callback-Url}": {
            "post": {
                "summary": summary,
                "description": description,
                "parameters": [*(_header(*named) for named in _HEADERS.items()), _ATTEMPT],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": payload}},
                },
                "responses": {
                    "2XX": {"description": "The callback was received."},
                    "410": {"description": "The callback must not be sent again."},
                },
                "security": [],  # a receiver checks the signature, not a key
            }
        }
    }
