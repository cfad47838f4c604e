"""The operations of `/function/{name}`, whose answer is the function's own, without an envelope.

Only functions that are made for it are documented: those that take the request, return a `Response`
or declare their methods. A function that declares none has one operation, POST, so that the
document stays small. What may follow the name in the path is not documented.
"""

from __future__ import annotations

from gateway.openapi.function_paths import header_refs, request_body
from gateway.openapi.json_schema import BINARY, TEXT, Json, component_ref, relocate
from gateway.openapi.security import security_of, signature_scheme
from gateway.routing.operation import Operation
from runtime.registry.manifest import Manifest

_JSON = "application/json"
_BYTES = "application/octet-stream"
_WITH_BODY = ("POST", "PUT", "PATCH")
_UNDOCUMENTED = "OPTIONS"
_REFUSAL = "raw-refusal"
_RESPONSES: Json = {
    _REFUSAL: {
        "description": "One line of text that says why there is no answer of the function. It is a "
        "problem (RFC 9457) for callers that accept `application/problem+json`.",
        "content": {"text/plain": {"schema": TEXT}},
    },
}


def has_raw_operations(manifest: Manifest) -> bool:
    """Whether the document shows the raw path of a function."""
    return bool(manifest.takes_request or manifest.returns_response or manifest.options.methods)


def raw_operations(manifest: Manifest, call: Operation, responses: Json) -> dict[str, Json]:
    """Return the operations of the raw path of a function, by method.

    Args:
        manifest: The function.
        call: An operation of that path in the route table.
        responses: The response components; those that are missing are added.
    """
    declared = manifest.options.methods or ("POST",)
    methods = [method for method in declared if method != _UNDOCUMENTED]
    if methods:
        responses.update(_RESPONSES)
    return {method.lower(): _operation(manifest, call, method) for method in methods}


def _operation(manifest: Manifest, call: Operation, method: str) -> Json:
    name, verification = manifest.name, manifest.options.verify
    security = security_of(call, name)
    if verification is not None:
        security.append({signature_scheme(verification)[0]: []})
    has_body = method in _WITH_BODY
    refused = {"$ref": f"#/components/responses/{_REFUSAL}"}
    return {
        "operationId": f"call_{name}" + ("" if method == "POST" else f"_by_{method.lower()}"),
        "tags": ["invoke"],
        "summary": manifest.summary or name,
        "description": f"Calls the function `{name}`, waits until it has ended, and answers with "
        "the status, the headers and the body that it returns.",
        "parameters": ["Idempotency-Key"] if has_body else _query_parameters(manifest),
        **({"requestBody": request_body(manifest)} if has_body else {}),
        "responses": {
            **_answers(manifest),
            "4XX": refused,
            "5XX": refused,
        },
        "security": security,
    }


def _query_parameters(manifest: Manifest) -> list[Json]:
    """Return the arguments as query parameters; bytes are written as they are, not in base64."""
    if manifest.takes_request:
        return []
    schema, definitions = relocate(manifest.parameters, f"{manifest.name}-arguments")
    shapes = {component_ref(name)["$ref"]: rule for name, rule in definitions.items()}
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": TEXT if name in manifest.bytes_parameters else rule,
        }
        for name, rule in schema.get("properties", {}).items()
        if shapes.get(rule.get("$ref"), rule).get("type") != "object"
    ]


def _answers(manifest: Manifest) -> Json:
    """Return what is known of the answer: a `Response` may have any status and media type."""
    headers = header_refs("X-Call-Id")
    said = "What the function returned."
    if manifest.returns_response:
        # Bytes come first: a generator that reads one media type only can treat JSON as bytes.
        content: Json = {_BYTES: {"schema": BINARY}, _JSON: {"schema": {}}}
        return {
            "2XX": {"description": said, "headers": headers, "content": content},
            "3XX": {"description": "The function redirects; `Location` says where to."},
        }
    if manifest.returns_bytes:
        content = {_BYTES: {"schema": BINARY}}
    elif manifest.returns.get("type") == "string":
        content = {"text/plain": {"schema": component_ref(f"{manifest.name}-result")}}
    else:
        content = {_JSON: {"schema": component_ref(f"{manifest.name}-result")}}
    return {"200": {"description": said, "headers": headers, "content": content}}
