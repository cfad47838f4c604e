"""The types of the route table: routes, their operations and query parameters.

`gateway.routing.routes` is the table itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Body = Literal["small", "call", "batch"]
Scope = Literal["open", "any", "invoke", "see", "follow", "steer", "read", "operate", "admin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryParameter:
    """A query parameter of an operation, with its limits.

    Attributes:
        longest: The maximum number of characters of a text.
        most: How many times the parameter may be given.
        form: The `format` of a text, as in JSON Schema.
        pattern: The `pattern` that a text must match, as in JSON Schema.
    """

    name: str
    description: str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    longest: int | None = None
    most: int = 1
    form: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of a route.

    Attributes:
        scope: The scope a caller needs (`gateway.auth.caller`); None refuses every caller.
        reads_own_query: The resource checks the query itself.
        problems: The problem codes of this operation, besides those that every operation has.
        body: The size limit of the body (`gateway.asgi.body_limits`): a few KiB, or the limit
            of a call or of a batch.
        waits: Whether it honours `Prefer: wait`.
        admits: Whether it creates invocations. Such an operation accepts an Idempotency-Key
            and returns RateLimit headers.
    """

    method: str
    id: str
    summary: str
    scope: Scope | None
    query: tuple[QueryParameter, ...] = ()
    reads_own_query: bool = False
    problems: tuple[str, ...] = ()
    body: Body = "small"
    waits: bool = False
    admits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path and the name of the resource that serves it."""

    path: str
    resource: str
    tag: str
    operations: tuple[Operation, ...]
    is_documented: bool = True


def get_route(  # noqa: PLR0913 - one row of the table
    path: str,
    resource: str,
    tag: str,
    operation_id: str,
    summary: str,
    *,
    scope: Scope = "read",
    query: tuple[QueryParameter, ...] = (),
    problems: tuple[str, ...] = (),
    waits: bool = False,
) -> Route:
    """Return a route with one GET operation."""
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


def act_route(  # noqa: PLR0913 - one row of the table
    method: str,
    path: str,
    resource: str,
    tag: str,
    operation_id: str,
    summary: str,
    *,
    scope: Scope = "operate",
    query: tuple[QueryParameter, ...] = (),
    problems: tuple[str, ...] = (),
    body: Body = "small",
    waits: bool = False,
    admits: bool = False,
) -> Route:
    """Return a route with one operation that changes something."""
    operation = Operation(
        method=method,
        id=operation_id,
        summary=summary,
        scope=scope,
        query=query,
        problems=problems,
        body=body,
        waits=waits,
        admits=admits,
    )
    return Route(path=path, resource=resource, tag=tag, operations=(operation,))
