"""The part of the route table for calls without an envelope, on the paths of OpenFaaS.

OpenAPI documents `/function/{name}` by function (`gateway.openapi.raw_paths`).
"""

from __future__ import annotations

from gateway.routing.operation import Route
from gateway.routing.problem_codes import ADMISSION, BODY, FINISHED, UNKNOWN, WRITES
from runtime.sdk.option_parsing import METHODS

_PROBLEMS = (*BODY, "invalid_multipart", "wait_exceeded", *ADMISSION, *FINISHED)


def _any_method(route: Route, operation_id: str) -> Route:
    for method in METHODS:
        route = route.act(
            method,
            f"{operation_id}_by_{method.lower()}",
            "Call a function and answer with what it returns",
            permission="call",
            reads_own_query=True,
            problems=_PROBLEMS,
            body="call",
            admits=True,
        )
    return route


def _later(route: Route, operation_id: str) -> Route:
    return route.act(
        "POST",
        operation_id,
        "Submit a call without waiting for it",
        permission="call",
        reads_own_query=True,
        problems=(*BODY, "invalid_multipart", "callback_url_invalid", *ADMISSION),
        body="call",
        admits=True,
    )


def _hidden(path: str, resource: str) -> Route:
    return Route(path, resource, "functions", is_documented=False)


RAW_ROUTES: tuple[Route, ...] = (
    _any_method(_hidden("/function/{name}", "raw_function"), "call_function"),
    _any_method(_hidden("/function/{name}/{rest:path}", "raw_function"), "call_function_below"),
    _later(_hidden("/async-function/{name}", "async_function"), "call_function_later").act(
        "DELETE",
        "cancel_call",
        "Cancel a call that has not finished",
        permission="steer",
        reads_own_query=True,
        problems=(*UNKNOWN, *WRITES),
    ),
    _later(
        _hidden("/async-function/{name}/{rest:path}", "async_function_below"),
        "call_function_below_later",
    ),
)
