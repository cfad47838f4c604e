"""What generators of clients and linters stumble over is not in the document.

Each rule is held for a document of odd functions, not for the shipped ones. What the generators
make of it is tried in tests/clients.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.openapi.descriptions import DESCRIPTIONS
from gateway.openapi.document import document
from gateway.openapi.header_components import CODES
from gateway.problems import KINDS
from gateway.routing.routes import ROUTES
from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options

_TEXTS = {"type": "object", "properties": {"note": {"type": "string"}}}
_NEEDY = {**_TEXTS, "required": ["note"]}
MANIFESTS = (
    Manifest(name="plain", version="1", file="p.py"),
    Manifest(name="a.deep.one", version="1", file="a/deep/one.py", parameters=_NEEDY),
    Manifest(name="hook", version="1", file="h.py", injected={"r": "request"}),
    Manifest(
        name="hook_with_note",
        version="1",
        file="h.py",
        injected={"r": "request"},
        parameters=_TEXTS,
    ),
    Manifest(
        name="hook_that_needs",
        version="1",
        file="h.py",
        injected={"r": "request"},
        parameters=_NEEDY,
    ),
    Manifest(
        name="picture",
        version="1",
        file="p.py",
        parameters={
            **_NEEDY,
            "properties": {"note": {"type": "string"}, "raw": {"type": "string"}},
        },
        bytes_parameters=("note", "raw"),
        raw_parameter="note",
    ),
    Manifest(name="page", version="1", file="p.py", parameters=_TEXTS, returns_response=True),
    Manifest(
        name="asked",
        version="1",
        file="p.py",
        parameters=_NEEDY,
        returns={"type": "string"},
        options=Options(methods=("GET", "POST", "OPTIONS")),
    ),
)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document(MANIFESTS)


def parts(value: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object in the document with its path."""
    if isinstance(value, dict):
        yield path, value
        for name, member in value.items():
            yield from parts(member, f"{path}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from parts(item, f"{path}/{index}")


def operations(made: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every operation with its id."""
    for path in made["paths"].values():
        for operation in path.values():
            yield operation["operationId"], operation


def content(made: dict[str, Any], operation_id: str) -> dict[str, Any]:
    """Return the media types of an operation's body, with their schemas, in order."""
    body = dict(operations(made))[operation_id]["requestBody"]
    return {media_type: entry["schema"] for media_type, entry in body["content"].items()}


def test_an_enum_says_its_type(made):
    bare = [
        path for path, part in parts(made) if {"enum", "const"} & {*part} and "type" not in part
    ]

    assert bare == []


def test_an_invocation_s_function_is_narrowed_by_an_enum(made):
    for manifest in MANIFESTS:
        narrowed = made["components"]["schemas"][f"{manifest.name}-invocation"]["allOf"][1]

        assert narrowed["properties"]["function"] == {"type": "string", "enum": [manifest.name]}


def test_bytes_are_strings_of_format_binary(made):
    typeless = [
        path for path, part in parts(made) if "contentMediaType" in part and "type" not in part
    ]
    of_bytes = [
        (path, part["application/octet-stream"]["schema"])
        for path, part in parts(made)
        if isinstance(part.get("application/octet-stream"), dict)
    ]

    assert typeless == []
    assert len(of_bytes) >= 4
    assert [path for path, schema in of_bytes if schema.get("format") != "binary"] == []
    assert content(made, "invoke_picture")["multipart/form-data"]["properties"]["raw"] == {
        "type": "string",
        "format": "binary",
    }


def test_an_object_that_names_no_members_says_that_it_takes_any(made):
    """Else openapi-typescript gives it the type `Record<string, never>`."""
    closed = [
        path
        for path, part in parts(made)
        if "object" in (kind if isinstance(kind := part.get("type"), list) else [kind])
        and not {"properties", "additionalProperties"} & {*part}
    ]

    assert closed == []


def test_a_body_has_no_wildcard_and_json_is_its_first_media_type(made):
    for name, operation in operations(made):
        if "requestBody" in operation:
            media_types = list(content(made, name))
            assert media_types[0] == "application/json"
            assert not any("*" in media_type for media_type in media_types)


def test_a_body_of_several_media_types_has_no_schema_of_anything(made):
    """Generated Python asks which it was given by `isinstance(body, Any)`, which fails."""
    for name, operation in operations(made):
        if "requestBody" in operation and len(content(made, name)) > 1:
            for schema in content(made, name).values():
                assert {"type", "$ref"} & {*schema}, name


def test_a_body_s_description_says_what_else_is_taken(made):
    reported = {
        name: operation["requestBody"]["description"]
        for name, operation in operations(made)
        if operation["tags"] == ["invoke"] and "requestBody" in operation
    }

    assert "application/x-www-form-urlencoded" in reported["invoke_a.deep.one"]
    assert "any other media type is `note`" in reported["invoke_picture"]
    assert "any media type" in reported["invoke_hook"]
    assert "reads the request" in reported["invoke_hook_with_note"]


def test_a_function_that_reads_the_request_takes_json_and_bytes(made):
    arguments = {"$ref": "#/components/schemas/hook_with_note-arguments"}

    assert list(content(made, "invoke_hook")) == ["application/json", "application/octet-stream"]
    assert content(made, "invoke_hook_with_note")["application/json"] == arguments
    assert "application/octet-stream" in content(made, "invoke_hook_with_note")
    assert list(content(made, "invoke_hook_that_needs")) == ["application/json"]


def test_every_problem_is_the_one_schema_and_tells_its_codes_beside_it(made):
    problems = dict(made["components"]["responses"])
    del problems["raw-refusal"]  # a line of text

    for response in problems.values():
        schema = response["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Problem"}
        assert {KINDS[code].status for code in response[CODES]} == {
            response["content"]["application/problem+json"]["example"]["status"]
        }
        assert all(f"`{code}`" in response["description"] for code in response[CODES])


def test_any_function_is_called_by_one_operation_with_open_schemas(made):
    for any_document in (made, document([])):
        operation = any_document["paths"]["/functions/{name}"]["post"]
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]

        assert operation["operationId"] == "invoke"
        assert answer == {"$ref": "#/components/schemas/Invocation"}
        assert operation["parameters"][-1]["name"] == "tag"
        assert {"callbacks", "security"} < {*operation}


def test_callbacks_need_no_key_of_ours(made):
    called_back = [
        request["post"]
        for _, operation in operations(made)
        for callback in operation.get("callbacks", {}).values()
        for request in callback.values()
    ]

    assert len(called_back) == len(MANIFESTS) + 2
    assert all(request["security"] == [] for request in called_back)


def test_no_component_is_dead(made):
    for kind in ("schemas", "responses", "headers", "parameters"):
        referred = {part["$ref"] for _, part in parts(made) if isinstance(part.get("$ref"), str)}
        dead = [
            name
            for name in made["components"][kind]
            if f"#/components/{kind}/{name}" not in referred
        ]

        assert dead == [], kind


def test_every_operation_has_a_description_and_says_how_it_refuses(made):
    for name, operation in operations(made):
        assert operation["description"].endswith("."), name
        assert operation["description"] != operation["summary"], name
        assert any(status.startswith("4") for status in operation["responses"]), name


def test_the_descriptions_are_those_of_the_documented_operations():
    documented = {
        operation.id for route in ROUTES if route.is_documented for operation in route.operations
    }

    assert {*DESCRIPTIONS} == documented


def test_the_licence_is_told(made):
    assert made["info"]["license"] == {"name": "MIT", "identifier": "MIT"}
