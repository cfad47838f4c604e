"""The Dramatiq broker: functions are actors, invocations are messages, Redis keeps them.

`.send()` creates an invocation with a record; a Penstock worker runs it, not Dramatiq's worker.
Dramatiq's own Redis broker keeps delayed messages in worker memory and recovers the messages of
dead workers at random times. This one keeps all state in Redis.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import dramatiq
import msgspec
from dramatiq.errors import ActorNotFound
from dramatiq.middleware import (
    AgeLimit,
    GroupCallbacks,
    Middleware,
    Pipelines,
    Retries,
    ShutdownNotifications,
    TimeLimit,
)
from dramatiq.results import Results

from runtime.broker.results import RecordBackend
from runtime.errors import UnknownFunctionError
from runtime.invocations.ids import is_invocation_id, new_invocation_id
from runtime.invocations.submission import CallOptions, check_available, prepare, submit
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import decode_manifest
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import read_manifest

_CONTINUES = (
    "an invocation does not keep its message's options; submit the next call in the function"
)
# Dramatiq's own middleware that would decide again what the record decides, or act on a thread that
# runs no function; and what to use instead.
_INSTEAD: dict[type[Middleware], str] = {
    AgeLimit: "give the function max_age= of @function",
    GroupCallbacks: _CONTINUES,
    Pipelines: _CONTINUES,
    Results: "results are in the invocation's record, and message.get_result() reads them there",
    Retries: "give the function retries= of @function",
    ShutdownNotifications: (
        "PENSTOCK_DRAIN_S sets how long a stopping worker waits for its attempts before it cancels"
    ),
    TimeLimit: "give the function timeout= of @function",
}


class PenstockBroker(dramatiq.Broker):
    """A broker over the Redis at `url`.

    Args:
        url: The URL of Redis.
        middleware: Dramatiq middleware. None by default, since the invocation's record handles
            time limits, retries, age limits and results.

    Raises:
        ValueError: A middleware conflicts with the record; the text says what to use instead.
    """

    def __init__(
        self,
        url: str,
        *,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        super().__init__(middleware=list(middleware))
        self.queues: dict[str, None] = {}
        self._connection = BlockingConnection(url)
        # Re-entrant: middleware may call get_actor() while an actor is declared.
        self._lock = threading.RLock()

    def add_middleware(
        self,
        middleware: Middleware,
        *,
        before: type[Middleware] | None = None,
        after: type[Middleware] | None = None,
    ) -> None:
        """Add middleware, as Dramatiq does.

        Raises:
            ValueError: It conflicts with the record, or `before` or `after` was not added.
        """
        for kind, instead in _INSTEAD.items():
            if isinstance(middleware, kind):
                raise ValueError(f"PenstockBroker does not accept {kind.__name__}: {instead}")  # noqa: TRY004
        super().add_middleware(middleware, before=before, after=after)

    def get_actor(self, actor_name: str) -> dramatiq.Actor[Any, Any]:
        """Return the actor of a published function, declared or not.

        Raises:
            ActorNotFound: No function of this name is published.
        """
        actor = self.actors.get(actor_name)
        if actor is not None:
            return actor
        try:
            queue = self._manifest(actor_name).options.queue
        except UnknownFunctionError as error:
            raise ActorNotFound(actor_name) from error  # type: ignore[no-untyped-call]
        with self._lock:
            if actor_name not in self.actors:
                dramatiq.Actor(
                    _refuse_direct_call,
                    broker=self,
                    actor_name=actor_name,
                    queue_name=queue,
                    priority=0,
                    options={},
                )
        return self.actors[actor_name]

    def declare_actor(self, actor: dramatiq.Actor[Any, Any]) -> None:
        """Register an actor and its queue."""
        self.emit_before("declare_actor", actor)
        self.actors[actor.actor_name] = actor
        self.declare_queue(actor.queue_name)
        self.emit_after("declare_actor", actor)

    def declare_queue(self, queue_name: str) -> None:
        """Register a queue."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def enqueue(
        self, message: dramatiq.Message[Any], *, delay: int | None = None
    ) -> dramatiq.Message[Any]:
        """Create an invocation from a message; return the message with the invocation's id.

        Args:
            message: Its actor is a published function. Positional arguments are matched with the
                function's parameters in order.
            delay: Milliseconds before the invocation may start.

        Raises:
            UnknownFunctionError: No function of this name is published.
            FunctionUnavailableError: The function has never loaded.
            ArgumentsError: The arguments do not match its schema.
            StoreError: Redis is away or refused the command. If only the reply was lost, the
                invocation may exist.
        """
        from runtime.registry.argument_check import check_arguments  # noqa: PLC0415 - senders only

        manifest = self._manifest(message.actor_name)
        check_available(manifest)
        arguments = _arguments_of(message, manifest)
        check_arguments(manifest, arguments)
        own = is_invocation_id(message.message_id)
        submission = prepare(
            manifest,
            msgspec.json.encode(arguments),
            invocation_id=message.message_id if own else new_invocation_id(),
            is_repeatable=own,  # a sender without a reply may send the message again
            call_options=CallOptions(delay_ms=delay or 0),
        )
        message = message.copy(message_id=submission.id, queue_name=submission.queue)
        self.emit_before("enqueue", message, delay)
        self._connection.run(submit(submission))
        self.emit_after("enqueue", message, delay)
        return message

    def consume(
        self, queue_name: str, prefetch: int = 1, timeout: int = 30_000
    ) -> dramatiq.Consumer:
        """Refuse, since Dramatiq's worker cannot run functions.

        Raises:
            RuntimeError: Always.
        """
        del prefetch, timeout
        raise RuntimeError(
            f"queue {queue_name!r} is consumed by Penstock's workers: run `penstock up` or "
            "`penstock worker`, not `dramatiq`"
        )

    def get_results_backend(self) -> RecordBackend:
        """Return the backend of `message.get_result()`, which reads the invocation's record."""
        return RecordBackend(self._connection)

    def get_declared_delay_queues(self) -> set[str]:
        """Return an empty set: delayed invocations wait in Redis."""
        return set()

    def close(self) -> None:
        """Close the connection to Redis."""
        self._connection.close()

    def _manifest(self, name: str) -> Manifest:
        data = self._connection.run(read_manifest(name))
        if data is None:
            raise UnknownFunctionError(f"no function {name!r} is published")
        return decode_manifest(data)


def _arguments_of(message: dramatiq.Message[Any], manifest: Manifest) -> dict[str, Any]:
    names = list(manifest.parameters.get("properties", {}))
    if len(message.args) > len(names):
        raise TypeError(f"{manifest.name} takes {len(names)} arguments, not {len(message.args)}")
    given = dict(zip(names, message.args, strict=False))
    if twice := sorted(given.keys() & message.kwargs.keys()):
        raise TypeError(f"{manifest.name} got {', '.join(twice)} twice")
    return {**given, **message.kwargs}


def _refuse_direct_call(*_args: object, **_kwargs: object) -> None:
    raise RuntimeError("functions run in workers: call .send() instead")
