"""The Python client: `from penstock.client import Client`.

It imports the standard library and httpx, and nothing of the gateway or the worker. httpx is
imported with `Client` and `AsyncClient` only, because the commands use other modules of this
package and must start quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.client.errors import (
    AlreadyFinishedError,
    ArgumentsInvalidError,
    ForbiddenError,
    FunctionFailedError,
    FunctionNotFoundError,
    FunctionTimeoutError,
    GoneError,
    InvocationCancelledError,
    InvocationError,
    InvocationExpiredError,
    NotFoundError,
    NotPenstockError,
    PenstockError,
    ProblemError,
    RateLimitedError,
    RejectedError,
    UnauthenticatedError,
    UnavailableError,
    UnreachableError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from penstock.client.async_client import AsyncBatch, AsyncClient, AsyncInvocation
    from penstock.client.batch_flows import Outcome
    from penstock.client.event_stream import StreamedEvent
    from penstock.client.sync_client import Batch, Client, Invocation

_LATER = {
    "AsyncBatch": "async_client",
    "AsyncClient": "async_client",
    "AsyncInvocation": "async_client",
    "Batch": "sync_client",
    "Client": "sync_client",
    "Invocation": "sync_client",
    "Outcome": "batch_flows",
    "StreamedEvent": "event_stream",
}

__all__ = [
    "AlreadyFinishedError",
    "ArgumentsInvalidError",
    "AsyncBatch",
    "AsyncClient",
    "AsyncInvocation",
    "Batch",
    "Client",
    "ForbiddenError",
    "FunctionFailedError",
    "FunctionNotFoundError",
    "FunctionTimeoutError",
    "GoneError",
    "Invocation",
    "InvocationCancelledError",
    "InvocationError",
    "InvocationExpiredError",
    "NotFoundError",
    "NotPenstockError",
    "Outcome",
    "PenstockError",
    "ProblemError",
    "RateLimitedError",
    "RejectedError",
    "StreamedEvent",
    "UnauthenticatedError",
    "UnavailableError",
    "UnreachableError",
    "WaitTimeoutError",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the classes
    """Import a class when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - as late as what it imports

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
