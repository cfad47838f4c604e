"""The document: valid, complete, and made of the table and the manifests alone."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from gateway.openapi.document import document, document_json, document_yaml
from gateway.openapi.examples import example_arguments
from gateway.openapi.json_schema import relocate
from gateway.routing.routes import ROUTES
from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options
from runtime.sdk.verification import parse_verification

ORDER = Manifest(
    name="shop.order",
    version="1",
    file="shop/order.py",
    summary="Order things",
    description="At length.",
    parameters={
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
            "picture": {"type": "string", "contentEncoding": "base64"},
            "when": {"type": "string", "format": "date"},
            "count": {"type": "integer", "exclusiveMinimum": 0},
            "note": {"anyOf": [{"type": "string", "maxLength": 2}, {"type": "null"}]},
            "kind": {"enum": ["big", "small"]},
        },
        "required": ["items", "picture", "when", "count", "note", "kind"],
        "$defs": {
            "Item": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "parts": {"$ref": "#/$defs/Parts"}},
                "required": ["name"],
            },
            "Parts": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
        },
    },
    returns={"type": "integer"},
    bytes_parameters=("picture",),
)
RAW = Manifest(
    name="raw",
    version="1",
    file="raw.py",
    parameters={"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]},
    bytes_parameters=("b",),
    raw_parameter="b",
)
HOOK = Manifest(name="hook", version="1", file="h.py", injected={"r": "request"})
SHOP = "hmac:SHOP header=X-Shop-Signature prefix=v="
SIGNED = Manifest(
    name="signed",
    version="1",
    file="s.py",
    options=Options(verify=parse_verification(SHOP)),
)
NEVER = Manifest(name="never", version="", file="n.py")
MANIFESTS = (ORDER, RAW, HOOK, SIGNED, NEVER)


@pytest.fixture(scope="module")
def made():
    return document(MANIFESTS)


def test_it_is_valid_openapi_3_1_with_and_without_functions(made):
    validate(made)
    validate(document([]))


def test_every_function_that_loaded_has_its_own_operation(made):
    operation = made["paths"]["/functions/shop.order"]["post"]

    assert operation["operationId"] == "invoke_shop.order"
    assert operation["summary"] == "Order things"
    assert operation["description"] == "At length."
    assert operation["callbacks"]["finished"]
    assert set(operation["responses"]["202"]["links"]) == {"invocation", "result", "logs"}
    assert "/functions/never" not in made["paths"]


def test_functions_whose_names_are_alike_have_operations_of_their_own():
    alike = [Manifest(name=name, version="1", file="f.py") for name in ("a.b", "a_b", "a.b_c")]

    validate(document(alike))


def test_every_documented_route_of_the_table_is_there(made):
    for route in ROUTES:
        for operation in route.operations:
            if route.is_documented:
                entry = made["paths"][route.path][operation.method.lower()]
                assert entry["operationId"] == operation.id


def test_every_operation_names_its_problems(made):
    for path in made["paths"].values():
        for operation in path.values():
            assert {"500", "5XX"} & {*operation["responses"]}
            needs_key = bool(operation["security"]) or operation["operationId"] == "log_in"
            assert bool({"401", "4XX"} & {*operation["responses"]}) == needs_key
    order = made["paths"]["/functions/shop.order"]["post"]["responses"]
    assert {"400", "404", "409", "413", "415", "422", "502", "503", "504"} <= set(order)


def test_a_function_that_verifies_takes_a_signature_or_a_key(made):
    signed, plain = (made["paths"][f"/functions/{name}"]["post"] for name in ("signed", "hook"))
    schemes = made["components"]["securitySchemes"]

    assert signed["security"][-1] == {"signature-x-shop-signature": []}
    assert len(signed["security"]) == len(plain["security"]) + 1
    assert schemes["signature-x-shop-signature"]["name"] == "X-Shop-Signature"
    assert "`v=<hex>`" in schemes["signature-x-shop-signature"]["description"]
    for operation, is_listed in ((signed, True), (plain, False)):
        assert ("signature_invalid" in operation["responses"]["401"]["$ref"]) is is_listed


def test_every_reference_leads_somewhere(made):
    def references(value):
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for member in value.values():
                yield from references(member)
        elif isinstance(value, list):
            for item in value:
                yield from references(item)

    for reference in set(references(made)):
        found = made
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_bytes_may_come_as_a_form_or_raw(made):
    def media_types(name):
        return set(made["paths"][f"/functions/{name}"]["post"]["requestBody"]["content"])

    assert media_types("shop.order") == {"application/json", "multipart/form-data"}
    assert media_types("raw") == {
        "application/json",
        "multipart/form-data",
        "application/octet-stream",
    }
    assert media_types("hook") == {"application/json", "application/octet-stream"}


def test_the_example_fits_the_schema():
    example = example_arguments(ORDER.parameters)

    jsonschema.validate(example, ORDER.parameters)


def test_both_forms_say_the_same_and_always_the_same():
    as_json, as_yaml = document_json(MANIFESTS), document_yaml(MANIFESTS)

    assert yaml.safe_load(as_yaml) == json.loads(as_json)
    assert document_yaml(reversed(MANIFESTS)) == as_yaml
    assert b"&id" not in as_yaml


def test_definitions_move_to_the_components():
    schema, components = relocate(ORDER.parameters, "o")

    assert "$defs" not in schema
    assert schema["properties"]["items"]["items"] == {"$ref": "#/components/schemas/o-Item"}
    assert components["o-Parts"]["items"] == {"$ref": "#/components/schemas/o-Item"}


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_an_odd_schema_never_breaks_the_example(schema):
    example_arguments({"type": "object", "properties": {"a": schema}, "required": ["a"]})
