"""The one table of routes: path, resource, operations with their ids and scopes.

The application mounts it, the doorkeeper and the OpenAPI document read it. An
operation without a scope refuses everybody; one that is not in the table does not
exist. To add a route, add it here and its resource to `gateway.app`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["open", "read", "invoke", "operate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A query parameter an operation knows; `schema` is its JSON Schema's type and bounds."""

    name: str
    description: str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of a route.

    Attributes:
        scope: What a caller must be allowed to do; None refuses.
        reads_own_query: The resource judges the query itself.
        problems: Codes it may answer beyond those every operation may.
        waits: Whether it honours `Prefer: wait`.
    """

    method: str
    id: str
    summary: str
    scope: Scope | None
    query: tuple[Parameter, ...] = ()
    reads_own_query: bool = False
    problems: tuple[str, ...] = ()
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path and the name of the resource that serves it."""

    path: str
    resource: str
    tag: str
    operations: tuple[Operation, ...]
    is_documented: bool = True


def _get(  # noqa: PLR0913 - one row of the table
    path: str,
    resource: str,
    tag: str,
    operation_id: str,
    summary: str,
    *,
    scope: Scope = "read",
    query: tuple[Parameter, ...] = (),
    problems: tuple[str, ...] = (),
    waits: bool = False,
) -> Route:
    operation = Operation(
        method="GET",
        id=operation_id,
        summary=summary,
        scope=scope,
        query=query,
        problems=problems,
        waits=waits,
    )
    return Route(path=path, resource=resource, tag=tag, operations=(operation,))


PRIORITY = Parameter(
    name="priority",
    description="0 to 9, higher first; the function's own priority if not given.",
    minimum=0,
    maximum=9,
)
DELIVERY_STATUS = Parameter(
    name="status",
    description="Only deliveries of this status.",
    choices=("pending", "delivered", "failed", "stopped"),
)
LIMIT = Parameter(name="limit", description="Most items in one answer.", minimum=1, maximum=200)
CURSOR = Parameter(name="cursor", description="`next` of the answer before.")
STORE = ("store_unavailable",)
FINISHED = ("function_failed", "function_timeout", "invocation_cancelled", "invocation_expired")
INVOKE_PROBLEMS = (
    "invalid_json",
    "invalid_multipart",
    "function_not_found",
    "body_too_large",
    "unsupported_media_type",
    "arguments_invalid",
    "parameter_invalid",
    "callback_url_invalid",
    "function_unavailable",
    "store_unavailable",
    "store_refused",
    *FINISHED,
)

ROUTES: tuple[Route, ...] = (
    Route(
        path="/functions/{name}",
        resource="function",
        tag="functions",
        operations=(
            Operation(
                method="POST",
                id="invoke",
                summary="Invoke a function",
                scope="invoke",
                query=(PRIORITY,),
                reads_own_query=True,
                problems=INVOKE_PROBLEMS,
                waits=True,
            ),
            Operation(
                method="GET",
                id="get_function",
                summary="Read a function's manifest, error and statistics",
                scope="read",
                problems=("function_not_found", *STORE),
            ),
        ),
    ),
    _get(
        "/functions", "functions", "functions", "list_functions", "List functions", problems=STORE
    ),
    _get(
        "/invocations/{invocation_id}",
        "invocation",
        "invocations",
        "get_invocation",
        "Read an invocation, or wait for its end",
        problems=("invocation_not_found", *STORE),
        waits=True,
    ),
    _get(
        "/invocations/{invocation_id}/result",
        "result",
        "invocations",
        "get_invocation_result",
        "Read the bare result",
        problems=("invocation_not_found", "invocation_unfinished", *FINISHED, *STORE),
        waits=True,
    ),
    _get(
        "/invocations/{invocation_id}/logs",
        "logs",
        "invocations",
        "get_invocation_logs",
        "Read what the function printed and logged",
        problems=("invocation_not_found", *STORE),
    ),
    _get(
        "/deliveries",
        "deliveries",
        "deliveries",
        "list_deliveries",
        "List callback deliveries, newest first",
        query=(DELIVERY_STATUS, LIMIT, CURSOR),
        problems=STORE,
    ),
    _get(
        "/deliveries/{delivery_id}",
        "delivery",
        "deliveries",
        "get_delivery",
        "Read a delivery with every attempt",
        problems=("delivery_not_found", *STORE),
    ),
    Route(
        path="/deliveries/{delivery_id}/redeliver",
        resource="redelivery",
        tag="deliveries",
        operations=(
            Operation(
                method="POST",
                id="redeliver",
                summary="Send a callback again, at once",
                scope="operate",
                problems=("delivery_not_found", "invocation_gone", *STORE, "store_refused"),
            ),
        ),
    ),
    _get("/livez", "livez", "health", "livez", "Whether the process answers", scope="open"),
    _get(
        "/readyz",
        "readyz",
        "health",
        "readyz",
        "Whether Redis answers and functions are published",
        scope="open",
        problems=("not_ready",),
    ),
    _get("/openapi.json", "openapi_json", "documents", "openapi_json", "This document as JSON"),
    _get("/openapi.yaml", "openapi_yaml", "documents", "openapi_yaml", "This document as YAML"),
    _get("/docs", "docs", "documents", "docs", "The reference page"),
    _get("/problems/{code}", "problem", "documents", "problem", "What a problem's code means"),
    Route(
        path="/",
        resource="home",
        tag="documents",
        operations=(
            Operation(method="GET", id="home", summary="Go to the reference page", scope="read"),
        ),
        is_documented=False,
    ),
)
_BY_TEMPLATE = {
    (route.path, operation.method): operation for route in ROUTES for operation in route.operations
}
OPEN_PATHS = frozenset(
    route.path for route in ROUTES if all(o.scope == "open" for o in route.operations)
)


def find_operation(template: str, method: str) -> Operation | None:
    """Return the operation a path template and method stand for, if the table has it."""
    return _BY_TEMPLATE.get((template, method))


def allowed_methods(template: str) -> tuple[str, ...]:
    """Return the methods a path template takes; HEAD goes wherever GET does."""
    methods = [method for path, method in _BY_TEMPLATE if path == template]
    return (*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS")
