"""The operations that invoke functions: one path for each published function, one for any.

Client generators read the document too, so bodies are described in the forms that generators
understand: media types without wildcards, and the name of a function as an enum of one.
"""

from __future__ import annotations

from gateway.openapi.callbacks import invocation_callback
from gateway.openapi.descriptions import operation_description
from gateway.openapi.examples import example_arguments
from gateway.openapi.header_components import problem_responses
from gateway.openapi.json_schema import ANY_OBJECT, BINARY, Json, component_ref, object_of, relocate
from gateway.openapi.security import key_problems, security_of, signature_scheme
from gateway.routing.operation import Operation, QueryParameter
from runtime.registry.manifest import Manifest
from runtime.sdk.verification import Verification

_JSON = "application/json"
PACE_HEADERS = ("RateLimit", "RateLimit-Policy")
# These are the media types that clients are generated for; the descriptions name the others. JSON
# comes first, because some generators read only the first media type of a body. Its schema is an
# object: with a schema for any value beside bytes, generated Python calls `isinstance(body, Any)`,
# which always fails. There is no `*/*`: some generators reject it, others send it literally.
_ANY_CONTENT: Json = {
    _JSON: {"schema": {**ANY_OBJECT, "description": "Any other JSON value is accepted too."}},
    "application/octet-stream": {"schema": BINARY},
}
_ANY_BODY: Json = {
    "description": "The arguments as a JSON object or as form fields, or a body of any media type "
    "for a function that accepts it unchanged.",
    "content": {
        **_ANY_CONTENT,
        "multipart/form-data": {"schema": {"type": "object", "additionalProperties": BINARY}},
    },
}


def operation_id(name: str) -> str:
    """Return the operation id of a function; dots stay, because `a.b` and `a_b` differ."""
    return "invoke_" + name


def function_schemas(manifest: Manifest) -> dict[str, Json]:
    """Return the schema components that the path of a function refers to."""
    name = manifest.name
    schemas: dict[str, Json] = {}
    if _takes_arguments(manifest):
        arguments, schemas = relocate(manifest.parameters or ANY_OBJECT, f"{name}-arguments")
        schemas[f"{name}-arguments"] = arguments
    result, more = relocate(manifest.returns, f"{name}-result")
    schemas.update(more)
    if manifest.returns_description:
        result = {"description": manifest.returns_description, **result}
    schemas[f"{name}-result"] = result
    schemas[f"{name}-invocation"] = {
        "allOf": [
            component_ref("Invocation"),
            {
                "type": "object",
                "properties": {
                    "function": {"type": "string", "enum": [name]},
                    "result": {"anyOf": [component_ref(f"{name}-result"), {"type": "null"}]},
                },
            },
        ]
    }
    return schemas


def function_operation(manifest: Manifest, invoke: Operation, responses: Json) -> Json:
    """Return the POST operation of a function.

    Args:
        manifest: The function.
        invoke: The operation `invoke` of the route table.
        responses: The response components; those that are missing are added.
    """
    return _calling(
        invoke,
        responses,
        operation_id=operation_id(manifest.name),
        summary=manifest.summary or manifest.name,
        description=manifest.description or f"Invokes the function `{manifest.name}`.",
        parameters=[] if manifest.takes_request else [*map(query_parameter, invoke.query)],
        body=request_body(manifest),
        invocation=f"{manifest.name}-invocation",
        scope=manifest.name,
        verification=manifest.options.verify,
    )


def any_function_operation(invoke: Operation, name: Json, responses: Json) -> Json:
    """Return the POST operation for any function, including one that is published later.

    Args:
        invoke: The operation `invoke` of the route table.
        name: The path parameter.
        responses: The response components; those that are missing are added.
    """
    return _calling(
        invoke,
        responses,
        operation_id=invoke.id,
        summary=invoke.summary,
        description=operation_description(invoke),
        parameters=[name, *map(query_parameter, invoke.query)],
        body=_ANY_BODY,
        invocation="Invocation",
    )


def _calling(  # noqa: PLR0913 - the members of one operation
    invoke: Operation,
    responses: Json,
    *,
    operation_id: str,
    summary: str,
    description: str,
    parameters: list[Json],
    body: Json,
    invocation: str,
    scope: str = "",
    verification: Verification | None = None,
) -> Json:
    problems = (*invoke.problems, *key_problems(invoke))
    security = security_of(invoke, scope)
    if verification is not None or not scope:
        problems += ("signature_invalid",)
    if verification is not None:
        security.append({signature_scheme(verification)[0]: []})
    return {
        "operationId": operation_id,
        "tags": ["invoke"],
        "summary": summary,
        "description": description,
        "parameters": [
            *("Prefer", "X-Callback-Url", "Idempotency-Key"),  # apispec turns names into references
            *parameters,
        ],
        "requestBody": body,
        "responses": {
            **_answers(invocation),
            **problem_responses(problems, responses),
        },
        "callbacks": {"finished": invocation_callback(invocation)},
        "security": security,
    }


def header_refs(*names: str) -> Json:
    """Return references to header components."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def query_parameter(parameter: QueryParameter) -> Json:
    """Return a query parameter of the route table as OpenAPI."""
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


def _takes_arguments(manifest: Manifest) -> bool:
    """Whether the function has arguments besides the HTTP request."""
    return not manifest.takes_request or bool(manifest.parameters.get("properties"))


def request_body(manifest: Manifest) -> Json:
    """Return the bodies that a function takes, for which clients are generated."""
    if not _takes_arguments(manifest):
        return {
            "description": "A body of any media type, or none: the function reads the request "
            "itself and the query. `Cookie` and `Proxy-Authorization` are not passed on, nor "
            "is an `Authorization` header that holds a key for the gateway.",
            "content": _ANY_CONTENT,
        }
    content: Json = {
        _JSON: {
            "schema": component_ref(f"{manifest.name}-arguments"),
            "example": example_arguments(manifest.parameters),
        }
    }
    if manifest.bytes_parameters and not manifest.takes_request:
        content["multipart/form-data"] = {"schema": _form_schema(manifest)}
    needs_arguments = bool(manifest.parameters.get("required"))
    if manifest.raw_parameter is not None or (manifest.takes_request and not needs_arguments):
        content["application/octet-stream"] = {"schema": BINARY}
    described = _taken_besides(manifest)
    return {"description": described, "required": needs_arguments, "content": content}


def _taken_besides(manifest: Manifest) -> str:
    """Return the description of a body, with the forms that no client is generated for.

    If a form had the same schema as JSON, generated code would have one class for both and send
    it in both forms.
    """
    if manifest.takes_request:
        return "The arguments as JSON. The function also reads the request itself."
    if manifest.raw_parameter is not None:
        return (
            f"The arguments as JSON or as form fields. A body of any other media type is "
            f"`{manifest.raw_parameter}` itself."
        )
    return (
        "The arguments as JSON or as form fields: `multipart/form-data` or "
        "`application/x-www-form-urlencoded`."
    )


def _form_schema(manifest: Manifest) -> Json:
    moved, _ = relocate(manifest.parameters, f"{manifest.name}-arguments")
    properties = {
        name: BINARY if name in manifest.bytes_parameters else schema
        for name, schema in moved.get("properties", {}).items()
    }
    return object_of(list(moved.get("required", [])), **properties)


def _answers(invocation: str) -> Json:
    body = {_JSON: {"schema": component_ref(invocation)}}
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
            "description": "The invocation succeeded while the caller waited.",
            "headers": headers,
            "content": body,
            "links": links,
        },
        "202": {
            "description": "The call was accepted; `Location` is the path of the invocation.",
            "headers": {**headers, **header_refs("Retry-After")},
            "content": body,
            "links": links,
        },
    }
