"""The whole OpenAPI document, built with apispec from the route table and the manifests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import yaml  # type: ignore[import-untyped,unused-ignore]
from apispec import APISpec

from gateway.auth.permissions import covers
from gateway.openapi.access_schemas import ACCESS_SCHEMAS
from gateway.openapi.check_schemas import CHECK_SCHEMAS
from gateway.openapi.control_schemas import CONTROL_SCHEMAS
from gateway.openapi.fixed_paths import fixed_operation, path_parameter
from gateway.openapi.function_paths import (
    any_function_operation,
    function_operation,
    function_schemas,
)
from gateway.openapi.header_components import HEADERS, PARAMETERS
from gateway.openapi.health_schemas import HEALTH_SCHEMAS
from gateway.openapi.raw_paths import has_raw_operations, raw_operations
from gateway.openapi.schedule_schemas import SCHEDULE_SCHEMAS
from gateway.openapi.schemas import SCHEMAS
from gateway.openapi.security import SECURITY_SCHEMES, signature_scheme
from gateway.openapi.statistics_schemas import STATISTICS_SCHEMAS
from gateway.routing.operation import Operation, Route
from gateway.routing.routes import BY_TEMPLATE, ROUTES
from runtime.access.scopes import EVERYTHING, Grant
from runtime.registry.manifest import Manifest

API_VERSION = "1"
_INVOKE_PATH = "/functions/{name}"
_RAW_PATH = "/function/{name}"
_TAGS = (
    ("invoke", "Invoke functions. The response is 202, or the result with `Prefer: wait=N`."),
    ("functions", "List and inspect published functions."),
    ("invocations", "Follow, cancel and retry invocations."),
    ("batches", "Invoke one function many times in one request."),
    ("schedules", "Invoke functions at the times of cron lines."),
    ("system", "Inspect and operate queues and workers, and check the data in Redis."),
    ("deliveries", "List and repeat callback deliveries."),
    ("access", "Manage API keys and browser sessions."),
    ("health", "Health checks, metrics and statistics."),
    ("documents", "API documents and reference pages."),
)
_DESCRIPTION = (
    "A function gateway over a queue. `POST /functions/<name>` with the arguments as a JSON object "
    "returns 202 at once. To get the result, send `Prefer: wait=N` with the same request, poll "
    "`Location`, or receive a signed callback at `X-Callback-Url`. Every error is a problem "
    "(RFC 9457) with a stable `code`."
)
# The reference page shows these under "Client Libraries", instead of a button that contacts another
# host; docs/clients.md says more.
_CLIENTS = {
    "Python": "pip install openapi-python-client\n"
    "openapi-python-client generate \\\n  --path openapi.json",
    "Node.js": "npm install openapi-fetch\n"
    "npx openapi-typescript openapi.json \\\n  --default-non-nullable=false -o penstock.ts",
}

Document = dict[str, Any]


def document(manifests: Iterable[Manifest], grant: Grant = EVERYTHING) -> Document:
    """Return the document: these functions and the operations that a grant allows.

    Functions without a loaded version are left out.
    """
    spec = APISpec(
        title="Penstock",
        version=API_VERSION,
        openapi_version="3.1.0",
        info={
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
            "x-scalar-sdk-installation": [
                {
                    "lang": language,
                    "description": f"With this document as `openapi.json`:\n\n```sh\n{lines}\n```",
                }
                for language, lines in _CLIENTS.items()
            ],
        },
        tags=[{"name": name, "description": text} for name, text in _TAGS],
        servers=[{"url": "/"}],
    )
    schemas: dict[str, Any] = {
        **SCHEMAS,
        **CONTROL_SCHEMAS,
        **HEALTH_SCHEMAS,
        **SCHEDULE_SCHEMAS,
        **STATISTICS_SCHEMAS,
        **ACCESS_SCHEMAS,
        **CHECK_SCHEMAS,
    }
    responses: dict[str, Any] = {}
    signatures: list[tuple[str, dict[str, Any]]] = []
    invoke = BY_TEMPLATE[(_INVOKE_PATH, "POST")]
    call = BY_TEMPLATE[(_RAW_PATH, "POST")]
    for manifest in sorted(manifests, key=lambda each: each.name):
        if manifest.version and grant.may_see(manifest.name):
            schemas.update(function_schemas(manifest))
            if manifest.options.verify is not None:
                signatures.append(signature_scheme(manifest.options.verify))
            operation = function_operation(manifest, invoke, responses)
            spec.path(path=f"/functions/{manifest.name}", operations={"post": operation})
            if has_raw_operations(manifest):
                operations = raw_operations(manifest, call, responses)
                spec.path(path=f"/function/{manifest.name}", operations=operations)
    _add_fixed(spec, responses, grant)
    for name, scheme in {**SECURITY_SCHEMES, **dict(signatures)}.items():
        spec.components.security_scheme(name, scheme)
    for name, schema in schemas.items():
        spec.components.schema(name, schema)
    for name, response in sorted(responses.items()):
        spec.components.response(name, response)
    for name, header in HEADERS.items():
        spec.components.header(name, header)
    for name, parameter in PARAMETERS.items():
        spec.components.parameter(name, "header", parameter)
    return spec.to_dict()


def document_json(manifests: Iterable[Manifest], grant: Grant = EVERYTHING) -> bytes:
    """Return the document as JSON."""
    return msgspec.json.encode(document(manifests, grant))


def document_yaml(manifests: Iterable[Manifest], grant: Grant = EVERYTHING) -> bytes:
    """Return the document as YAML; the same functions give the same text."""
    text: str = yaml.dump(
        document(manifests, grant),
        Dumper=_PlainDumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )
    return text.encode()


def _add_fixed(spec: APISpec, responses: Document, grant: Grant) -> None:
    for route in ROUTES:
        if not route.is_documented:
            continue
        operations = {
            operation.method.lower(): _operation(route, operation, responses)
            for operation in route.operations
            if covers(operation, grant)
        }
        if operations:
            spec.path(path=route.path, operations=operations)


def _operation(route: Route, operation: Operation, responses: Document) -> Document:
    if operation.id == "invoke":
        return any_function_operation(operation, path_parameter("name"), responses)
    return fixed_operation(route, operation, responses)


class _PlainDumper(yaml.CSafeDumper):  # type: ignore[misc,unused-ignore]
    """Writes repeated values in full instead of as YAML anchors and aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Return True, so that no anchor is written."""
        return True
