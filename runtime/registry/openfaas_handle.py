"""Functions written for OpenFaaS's Python templates: `handle(event, context)` and `handle(req)`.

They are called with what the templates pass, and what they return is read as the templates read it.
Such a function counts as one that takes a `Request` and returns a `Response`.
"""

from __future__ import annotations

import inspect
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.sdk.request import Request
from runtime.sdk.response import Response

_ENVELOPE = frozenset({"statusCode", "body", "headers"})
_WITH_STATUS, _WITH_HEADERS = 2, 3  # lengths of a tuple (body, status[, headers])


@dataclass(frozen=True, slots=True)
class Event:
    """The request; a repeated query parameter has its first value."""

    body: bytes
    headers: Mapping[str, str]
    method: str
    query: Mapping[str, str]
    path: str


@dataclass(frozen=True, slots=True)
class HandleContext:
    """Where the function runs."""

    hostname: str


def adapt_handle(target: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return what to call instead of a callable named `handle`; None if it is no template's.

    A template's has one or two parameters, without types and defaults.
    """
    count = _count_plain_parameters(target)
    if count not in (1, 2):
        return None

    def arguments_of(request: Request) -> tuple[object, ...]:
        return (request.text,) if count == 1 else (_event_of(request), _context())

    if inspect.iscoroutinefunction(target):

        async def respond_async(request: Request) -> Response:
            return read_answer(await target(*arguments_of(request)))

        return respond_async

    def respond(request: Request) -> Response:
        return read_answer(target(*arguments_of(request)))

    return respond


def read_answer(value: object) -> Response:
    """Return the response that a handle means.

    It returns None for an empty body, a dict with one of `statusCode`, `body` and `headers`, a
    tuple (body, status[, headers]), or a body: text, bytes or a JSON value.
    """
    if isinstance(value, Response):
        return value
    if isinstance(value, dict) and _ENVELOPE & value.keys():
        return _response(value.get("body"), value.get("statusCode", 200), value.get("headers"))
    if isinstance(value, tuple) and len(value) in (_WITH_STATUS, _WITH_HEADERS):
        return _response(*value)
    return _response(value)


def _response(body: object, status: Any = 200, headers: Any = None) -> Response:  # noqa: ANN401
    fields: Iterable[tuple[Any, Any]] = headers.items() if hasattr(headers, "items") else headers
    given: dict[str, list[str]] = {}
    for name, value in fields or ():
        given.setdefault(str(name), []).append(str(value))
    return Response(b"" if body is None else body, int(status), given)


def _event_of(request: Request) -> Event:
    query = {name: v[0] if isinstance(v, list) else v for name, v in request.query.items()}
    return Event(request.body, request.headers, request.method, query, request.path)


def _context() -> HandleContext:
    return HandleContext(socket.gethostname())


def _count_plain_parameters(target: Callable[..., Any]) -> int:
    """Return how many parameters there are, 0 if one has a type, a default or is not positional."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return 0
    is_plain = all(
        each.kind is each.POSITIONAL_OR_KEYWORD and each.annotation is each.default is each.empty
        for each in parameters
    )
    return len(parameters) if is_plain else 0
