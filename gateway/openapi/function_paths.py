"""A published function's own path: how it is called, what it answers, what is called back."""

from __future__ import annotations

from typing import Any

from gateway.openapi.examples import example_arguments
from gateway.openapi.problem_responses import problem_responses
from gateway.openapi.relocation import component_ref, relocate
from gateway.openapi.security import key_problems, security_of
from gateway.operations import Operation, Parameter
from runtime.registry.manifest import Manifest

Json = dict[str, Any]
_BINARY: Json = {"contentMediaType": "application/octet-stream"}
_JSON = "application/json"
PACE_HEADERS = ("RateLimit", "RateLimit-Policy")


def operation_id(name: str) -> str:
    """Return the operation id of a function; its dots stay, for `a.b` is not `a_b`."""
    return "invoke_" + name


def function_schemas(manifest: Manifest) -> dict[str, Json]:
    """Return the components that a function's path refers to."""
    name = manifest.name
    arguments, schemas = relocate(manifest.parameters or {"type": "object"}, f"{name}-arguments")
    result, more = relocate(manifest.returns, f"{name}-result")
    schemas.update(more)
    schemas[f"{name}-arguments"] = arguments
    if manifest.returns_description:
        result = {"description": manifest.returns_description, **result}
    schemas[f"{name}-result"] = result
    schemas[f"{name}-invocation"] = {
        "allOf": [
            component_ref("Invocation"),
            {
                "properties": {
                    "function": {"const": name},
                    "result": {"anyOf": [component_ref(f"{name}-result"), {"type": "null"}]},
                }
            },
        ]
    }
    return schemas


def function_operation(manifest: Manifest, invoke: Operation, responses: Json) -> Json:
    """Return the POST operation of a function; `responses` are the components to add to."""
    operation: Json = {
        "operationId": operation_id(manifest.name),
        "tags": ["invoke"],
        "summary": manifest.summary or manifest.name,
        "parameters": [
            "Prefer",  # apispec makes references of names
            "X-Callback-Url",
            "Idempotency-Key",
            *([] if manifest.takes_request else map(query_parameter, invoke.query)),
        ],
        "requestBody": _request_body(manifest),
        "responses": {
            **_answers(manifest.name),
            **problem_responses((*invoke.problems, *key_problems(invoke)), responses),
        },
        "callbacks": {"finished": _callback(manifest.name)},
        "security": security_of(invoke, manifest.name),
    }
    if manifest.description:
        operation["description"] = manifest.description
    return operation


def header_refs(*names: str) -> Json:
    """Return references to headers among the components."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def query_parameter(parameter: Parameter) -> Json:
    """Return a query parameter of the route table as OpenAPI has it."""
    schema: Json = {"type": "string"}
    if parameter.longest is not None:
        schema |= {"minLength": 1, "maxLength": parameter.longest}
    if parameter.form is not None:
        schema["format"] = parameter.form
    if parameter.pattern is not None:
        schema["pattern"] = parameter.pattern
    if parameter.minimum is not None:
        schema = {
            "type": "integer",
            "minimum": parameter.minimum,
            "maximum": parameter.maximum,
        }
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    shown: Json = {"name": parameter.name, "in": "query", "description": parameter.description}
    if parameter.most > 1:
        schema = {"type": "array", "items": schema, "maxItems": parameter.most}
        shown["explode"] = True
    return {**shown, "schema": schema}


def _request_body(manifest: Manifest) -> Json:
    if manifest.takes_request:
        return {
            "description": "Any body: the function reads the request itself, its query included. "
            "`Authorization` and `Cookie` headers are not passed on.",
            "content": {"*/*": {"schema": {}}},
        }
    content: Json = {
        _JSON: {
            "schema": component_ref(f"{manifest.name}-arguments"),
            "example": example_arguments(manifest.parameters),
        }
    }
    if manifest.bytes_parameters:
        content["multipart/form-data"] = {"schema": _form_schema(manifest)}
    if manifest.raw_parameter is not None:
        content["application/octet-stream"] = {"schema": _BINARY}
    return {"required": bool(manifest.parameters.get("required")), "content": content}


def _form_schema(manifest: Manifest) -> Json:
    moved, _ = relocate(manifest.parameters, f"{manifest.name}-arguments")
    properties = {
        name: _BINARY if name in manifest.bytes_parameters else schema
        for name, schema in moved.get("properties", {}).items()
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(moved.get("required", [])),
    }


def _answers(name: str) -> Json:
    body = {_JSON: {"schema": component_ref(f"{name}-invocation")}}
    links = {
        link: {"operationId": target, "parameters": {"invocation_id": "$response.body#/id"}}
        for link, target in (
            ("invocation", "get_invocation"),
            ("result", "get_invocation_result"),
            ("logs", "get_invocation_logs"),
        )
    }
    headers = header_refs(
        *("Location", "X-Call-Id", "Preference-Applied", "Idempotency-Replayed"), *PACE_HEADERS
    )
    return {
        "200": {
            "description": "It succeeded while the caller waited.",
            "headers": headers,
            "content": body,
            "links": links,
        },
        "202": {
            "description": "It was accepted; `Location` says where to look.",
            "headers": {**headers, **header_refs("Retry-After")},
            "content": body,
            "links": links,
        },
    }


def _callback(name: str) -> Json:
    return _callback_of(
        "The finished invocation",
        "Signed as Standard Webhooks says; a result over 20 kB is left out and linked. 2xx is "
        "success, 410 stops, all else is tried again.",
        type_pattern="^invocation\\.",
        data=component_ref(f"{name}-invocation"),
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
    signed = ("webhook-id", "webhook-timestamp", "webhook-signature")
    ours = ("X-Call-Id", "X-Function-Name", "X-Function-Status")
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
                    for header in (*signed, *ours)
                ]
                + [
                    {
                        "name": "webhook-attempt",
                        "in": "header",
                        "required": True,
                        "description": "Which attempt this is, from 1. It is not signed; the "
                        "body and the webhook-id are the same in all of them.",
                        "schema": {"type": "integer", "minimum": 1},
                    }
                ],
                "requestBody": {"required": True, "content": {_JSON: {"schema": payload}}},
                "responses": {
                    "2XX": {"description": "Received."},
                    "410": {"description": "Never send to this address again."},
                },
            }
        }
    }
