"""The part of the route table that clients of OpenFaaS use: its `/system` and `/healthz`.

OpenFaaS's own document describes these routes, so ours leaves them out. They take the query
parameters of OpenFaaS and ignore what they do not know, as its gateway does.
"""

from __future__ import annotations

from gateway.routing.operation import Permission, Route


def _route(path: str, resource: str) -> Route:
    return Route(path, resource, "openfaas", is_documented=False)


def _read(path: str, resource: str, summary: str, permission: Permission = "any") -> Route:
    route = _route(path, resource)
    return route.get(resource, summary, permission=permission, reads_own_query=True)


def _refused(route: Route, *methods: str) -> Route:
    """Add the changes that are answered 501; the body of a deployment may be long."""
    for method in methods:
        operation_id = f"{method.lower()}_{route.resource}"
        route = route.act(
            method,
            operation_id,
            "Refuse a change that OpenFaaS offers",
            permission="any",
            reads_own_query=True,
            body="call",
        )
    return route


OPENFAAS_ROUTES: tuple[Route, ...] = (
    _read("/healthz", "openfaas_health", "Check that the gateway process is alive", "open"),
    _read("/system/info", "openfaas_info", "Get the release and the machine's architecture"),
    _refused(
        _read("/system/functions", "openfaas_functions", "List the status of functions"),
        *("POST", "PUT", "DELETE"),
    ),
    _read("/system/function/{name}", "openfaas_function", "Get the status of a function"),
    _refused(_route("/system/scale-function/{name}", "openfaas_scaling"), "POST"),
    _read("/system/namespaces", "openfaas_namespaces", "List the only namespace"),
    _read("/system/namespace/{namespace}", "openfaas_namespace", "Get the only namespace"),
    _refused(
        _read("/system/secrets", "openfaas_secrets", "List no secrets"), *("POST", "PUT", "DELETE")
    ),
    _read("/system/logs", "openfaas_logs", "Read what a function prints", "read"),
)
