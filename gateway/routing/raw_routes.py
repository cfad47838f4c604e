"""The part of the route table for calls without an envelope, on the paths of OpenFaaS.

Not documented in OpenAPI: what a path answers is what its function says.
"""

from __future__ import annotations

from gateway.routing.operation import Route
from gateway.routing.problem_codes import ADMISSION, BODY, FINISHED, UNKNOWN, WRITES
from runtime.sdk.option_parsing import METHODS

_PROBLEMS = (*BODY, "invalid_multipart", "wait_exceeded", *ADMISSION, *FINISHED)


def _any_method(route: Route) -> Route:
    for method in METHODS:
        route = route.act(
            method,
            f"call_function_by_{method.lower()}",
            "Call a function and answer with what it returns",
            permission="call",
            reads_own_query=True,
            problems=_PROBLEMS,
            body="call",
            admits=True,
        )
    return route


def _later(route: Route) -> Route:
    return route.act(
        "POST",
        "call_function_later",
        "Submit a call without waiting for it",
        permission="call",
        reads_own_query=True,
        problems=(*BODY, "invalid_multipart", "callback_url_invalid", *ADMISSION),
        body="call",
        admits=True,
    )


RAW_ROUTES: tuple[Route, ...] = (
    _any_method(Route("/function/{name}", "raw_function", "functions", is_documented=False)),
    _any_method(
        Route("/function/{name}/{rest:path}", "raw_function", "functions", is_documented=False)
    ),
    _later(Route("/async-function/{name}", "async_function", "functions", is_documented=False)).act(
        "DELETE",
        "cancel_call",
        "Cancel a call that has not finished",
        permission="steer",
        problems=(*UNKNOWN, *WRITES),
    ),
    _later(
        Route(
            "/async-function/{name}/{rest:path}",
            "async_function",
            "functions",
            is_documented=False,
        )
    ),
)
