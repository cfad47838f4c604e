"""openapi.yaml in the root is the document of the shipped functions, and current."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from openapi_spec_validator import validate

from gateway.openapi.__main__ import manifests_of
from gateway.openapi.document import document_yaml

ROOT = Path(__file__).parents[3]
SHIPPED = {
    *("countdown", "csv_report", "embedding", "github_digest", "hello", "slack_command"),
    *("stripe_events", "thumbnail"),
}


@pytest.fixture(scope="module")
def manifests():
    return manifests_of(ROOT / "functions")


def test_the_document_in_the_root_is_current(manifests):
    kept = (ROOT / "openapi.yaml").read_bytes()

    assert kept == document_yaml(manifests), (
        "make it again: python -m gateway.openapi functions > openapi.yaml"
    )


def test_it_is_valid_and_holds_every_shipped_function(manifests):
    document = yaml.safe_load((ROOT / "openapi.yaml").read_bytes())

    validate(document)
    assert {manifest.name for manifest in manifests} == SHIPPED
    assert {f"/functions/{name}" for name in SHIPPED} <= set(document["paths"])


def test_bytes_functions_take_forms_and_raw_bodies(manifests):
    paths = yaml.safe_load((ROOT / "openapi.yaml").read_bytes())["paths"]

    for name in ("thumbnail", "csv_report"):
        content = paths[f"/functions/{name}"]["post"]["requestBody"]["content"]
        assert {"application/json", "multipart/form-data", "application/octet-stream"} <= set(
            content
        )
    whole = paths["/functions/github_digest"]["post"]["requestBody"]["content"]
    assert list(whole) == ["application/json", "application/octet-stream"]


def test_a_webhook_is_admitted_by_its_signature_or_a_key():
    document = yaml.safe_load((ROOT / "openapi.yaml").read_bytes())
    digest = document["paths"]["/functions/github_digest"]["post"]
    plain = document["paths"]["/functions/hello"]["post"]
    schemes = document["components"]["securitySchemes"]

    [name] = {*map(next, map(iter, digest["security"]))} - {
        *map(next, map(iter, plain["security"]))
    }
    assert (schemes[name]["type"], schemes[name]["name"]) == ("apiKey", "X-Hub-Signature-256")
    assert "signature_invalid" in digest["responses"]["401"]["$ref"]
    assert "signature_invalid" not in plain["responses"]["401"]["$ref"]
