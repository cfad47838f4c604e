"""What the document says of `/function/{name}`: of which functions, methods, arguments, answers."""

from __future__ import annotations

from typing import Any

from openapi_spec_validator import validate

from gateway.openapi.document import document
from runtime.access.scopes import Grant
from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options
from runtime.sdk.verification import parse_verification

PLAIN = Manifest(name="plain", version="1", file="p.py")
HOOK = Manifest(
    name="hook",
    version="1",
    file="h.py",
    injected={"r": "request"},
    options=Options(verify=parse_verification("github:REPO")),
)
PAGE = Manifest(name="page", version="1", file="p.py", returns_response=True)
FIND = Manifest(
    name="find",
    version="1",
    file="f.py",
    parameters={
        "type": "object",
        "properties": {
            "word": {"type": "string"},
            "kinds": {"type": "array", "items": {"$ref": "#/$defs/Kind"}},
            "kind": {"$ref": "#/$defs/Kind"},
            "picture": {"type": "string", "contentEncoding": "base64"},
            "options": {"type": "object", "additionalProperties": True},
            "range": {"$ref": "#/$defs/Range"},
        },
        "required": ["word"],
        "$defs": {
            "Kind": {"type": "string", "enum": ["a", "b"]},
            "Range": {"type": "object", "properties": {"first": {"type": "integer"}}},
        },
    },
    bytes_parameters=("picture",),
    returns={"type": "array", "items": {"type": "string"}},
    options=Options(methods=("GET", "POST", "DELETE", "OPTIONS")),
)


def of_path(manifest: Manifest) -> dict[str, Any]:
    found: dict[str, Any] = document([manifest])["paths"].get(f"/function/{manifest.name}", {})
    return found


def media_types(response: dict[str, Any]) -> list[str]:
    return list(response["content"])


def test_the_document_is_valid():
    validate(document([PLAIN, HOOK, PAGE, FIND]))


def test_a_function_of_arguments_and_json_has_no_raw_path():
    assert of_path(PLAIN) == {}


def test_a_function_that_declares_no_methods_is_called_by_post():
    assert {m: o["operationId"] for m, o in of_path(HOOK).items()} == {"post": "call_hook"}
    assert {m: o["operationId"] for m, o in of_path(PAGE).items()} == {"post": "call_page"}


def test_every_declared_method_but_options_has_an_operation():
    assert {method: operation["operationId"] for method, operation in of_path(FIND).items()} == {
        "get": "call_find_by_get",
        "post": "call_find",
        "delete": "call_find_by_delete",
    }


def test_arguments_are_a_body_or_query_parameters():
    path = of_path(FIND)
    query = {one["name"]: one for one in path["get"]["parameters"]}

    assert path["post"]["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/find-arguments"
    }
    assert "requestBody" not in path["get"]
    assert query["word"]["required"] is True
    assert query["picture"]["schema"] == {"type": "string"}
    assert query["kind"]["schema"] == {"$ref": "#/components/schemas/find-arguments-Kind"}
    assert set(query) == {"word", "kinds", "kind", "picture"}


def test_the_answer_is_that_of_the_function_and_a_refusal_is_text():
    found, answered = of_path(FIND)["get"]["responses"], of_path(PAGE)["post"]["responses"]

    assert media_types(found["200"]) == ["application/json"]
    assert media_types(answered["2XX"]) == ["application/octet-stream", "application/json"]
    assert set(answered) == {"2XX", "3XX", "4XX", "5XX"}
    assert "Location" in answered["3XX"]["description"]


def test_a_signature_or_a_key_for_the_function_is_asked_for():
    security = of_path(HOOK)["post"]["security"]

    assert {"key": ["invoke:hook"]} in security
    assert {"signature-x-hub-signature-256": []} in security


def test_only_functions_that_a_key_may_see_are_shown():
    grant = Grant(scopes=("invoke:page",), functions=frozenset({"page"}))

    paths = document([PAGE, FIND], grant)["paths"]

    assert "/function/page" in paths
    assert "/function/find" not in paths
