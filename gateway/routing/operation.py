"""The types of the route table: routes, their operations and query parameters.

`gateway.routing.routes` is the table itself.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal, TypedDict, Unpack

Body = Literal["small", "call", "batch"]
Permission = Literal[
    "open", "any", "invoke", "call", "see", "follow", "steer", "read", "operate", "admin"
]


@dataclass(frozen=True, slots=True)
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
    _: KW_ONLY
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    longest: int | None = None
    most: int = 1
    form: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a route.

    Attributes:
        permission: What a caller must be allowed to do (`gateway.auth.permissions`); None refuses
            every caller.
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
    _: KW_ONLY
    permission: Permission | None
    query: tuple[QueryParameter, ...] = ()
    reads_own_query: bool = False
    problems: tuple[str, ...] = ()
    body: Body = "small"
    waits: bool = False
    admits: bool = False


class OperationOptions(TypedDict, total=False):
    """The fields of an operation that most rows of the table leave out."""

    query: tuple[QueryParameter, ...]
    reads_own_query: bool
    problems: tuple[str, ...]
    body: Body
    waits: bool
    admits: bool


@dataclass(frozen=True, slots=True)
class Route:
    """One path and the name of the resource that serves it; `get` and `act` add its operations."""

    path: str
    resource: str
    tag: str
    operations: tuple[Operation, ...] = ()
    is_documented: bool = True

    def get(
        self,
        operation_id: str,
        summary: str,
        *,
        permission: Permission = "read",
        **options: Unpack[OperationOptions],
    ) -> Route:
        """Return the route with one more operation, which only reads."""
        return self.act("GET", operation_id, summary, permission=permission, **options)

    def act(
        self,
        method: str,
        operation_id: str,
        summary: str,
        *,
        permission: Permission = "operate",
        **options: Unpack[OperationOptions],
    ) -> Route:
        """Return the route with one more operation, which changes something."""
        operation = Operation(method, operation_id, summary, permission=permission, **options)
        return replace(self, operations=(*self.operations, operation))
