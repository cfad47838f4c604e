"""What the route table is made of: routes, their operations and query parameters.

`gateway.routing.routes` is the table itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Body = Literal["small", "call", "batch"]
Scope = Literal["open", "any", "invoke", "see", "follow", "steer", "read", "operate", "admin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryParameter:
    """A query parameter an operation knows, with its bounds.

    Attributes:
        longest: Most characters of a text.
        most: How often it may be given.
        form: The format of a text, in JSON Schema's words.
        pattern: What a text must look like, as JSON Schema has it.
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
        scope: What a caller must be allowed to do (`gateway.auth.caller`); None refuses.
        reads_own_query: The resource judges the query itself.
        problems: Codes it may answer beyond those every operation may.
        body: How long a body it takes (`gateway.asgi.body_limits`): a few KiB, or that of a
            call or a batch.
        waits: Whether it honours `Prefer: wait`.
        admits: Whether it makes invocations: it takes an Idempotency-Key, and answers what
            its caller may still do in RateLimit headers.
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
    """Return a route that is only read."""
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
