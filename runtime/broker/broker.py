"""The Dramatiq broker: functions are actors, invocations are messages, Redis keeps them.

In a client it turns `.send()` into an invocation with a record; in a worker it
also hands out consumers. Dramatiq's own Redis broker keeps delayed messages in
worker memory and finds dead workers by chance; this one keeps everything in the
record and its scripts.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import dramatiq
import msgspec
from dramatiq.errors import ActorNotFound
from dramatiq.middleware import Middleware

from runtime.broker.consumer import QueueConsumer
from runtime.broker.refused_middleware import check_middleware
from runtime.broker.results import RecordBackend
from runtime.broker.worker_side import WorkerSide
from runtime.errors import UnknownFunctionError
from runtime.invocations.identifiers import is_invocation_id, new_invocation_id
from runtime.invocations.submission import Wishes, check_available, prepare, submit
from runtime.registry.manifest import Manifest, decode_manifest
from runtime.store.function_calls import read_manifest
from runtime.store.line import Line


class PenstockBroker(dramatiq.Broker):
    """A broker over the Redis at `url`; with `worker_side`, one that consumes.

    Args:
        url: Where Redis is.
        worker_side: What a worker process adds; None in a client.
        middleware: Dramatiq middleware. None by default: time limits, retries, age and
            results are the record's business here.

    Raises:
        ValueError: Some of the middleware conflicts with that; the text says what to use.
    """

    def __init__(
        self,
        url: str,
        *,
        worker_side: WorkerSide | None = None,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        super().__init__(middleware=list(middleware))
        self.queues: dict[str, None] = {}
        self._url = url
        self._line = Line(url)
        self._worker_side = worker_side
        self._lock = threading.RLock()  # middleware may ask for an actor while one is declared
        self._consuming: list[Line] = []

    def add_middleware(
        self,
        middleware: Middleware,
        *,
        before: type[Middleware] | None = None,
        after: type[Middleware] | None = None,
    ) -> None:
        """Add middleware, as Dramatiq does.

        Raises:
            ValueError: It conflicts with the record, or there is no `before` or `after`.
        """
        check_middleware(middleware)
        super().add_middleware(middleware, before=before, after=after)

    def get_actor(self, actor_name: str) -> dramatiq.Actor[Any, Any]:
        """Return the actor of a published function; it need not be declared before.

        Raises:
            ActorNotFound: No function of that name is published.
        """
        actor = self.actors.get(actor_name)
        if actor is not None:
            return actor
        queue = "default"
        if self._worker_side is None:
            try:
                queue = self._manifest(actor_name).options.queue
            except UnknownFunctionError as error:
                raise ActorNotFound(actor_name) from error  # type: ignore[no-untyped-call]
        with self._lock:
            if actor_name not in self.actors:
                run = self._worker_side.run if self._worker_side else _refuse_direct_call
                dramatiq.Actor(
                    run,
                    broker=self,
                    actor_name=actor_name,
                    queue_name=queue,
                    priority=0,
                    options={},
                )
        return self.actors[actor_name]

    def declare_actor(self, actor: dramatiq.Actor[Any, Any]) -> None:
        """Remember an actor; in a worker, queues are declared by `declare_queue` alone."""
        self.emit_before("declare_actor", actor)
        self.actors[actor.actor_name] = actor
        if self._worker_side is None:
            self.declare_queue(actor.queue_name)
        self.emit_after("declare_actor", actor)

    def declare_queue(self, queue_name: str) -> None:
        """Remember a queue; a running Dramatiq worker begins to consume it."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def forget_queue(self, queue_name: str) -> None:
        """Forget a queue; who consumes it is to end."""
        self.queues.pop(queue_name, None)

    def enqueue(
        self, message: dramatiq.Message[Any], *, delay: int | None = None
    ) -> dramatiq.Message[Any]:
        """Turn a message into an invocation; return it with the invocation's id.

        Args:
            message: Of an actor that is a published function. Positional arguments are
                matched with the function's parameters in order.
            delay: Milliseconds to wait before it may start.

        Raises:
            UnknownFunctionError: No such function.
            FunctionUnavailableError: It never loaded.
            ArgumentsError: The arguments do not fit its schema.
            StoreError: Redis is away or refuses; then nothing was enqueued.
        """
        from runtime.registry.arguments import check_arguments  # noqa: PLC0415 - senders only

        manifest = self._manifest(message.actor_name)
        check_available(manifest)
        arguments = _arguments_of(message, manifest)
        check_arguments(manifest, arguments)
        own = is_invocation_id(message.message_id)
        submission = prepare(
            manifest,
            msgspec.json.encode(arguments),
            invocation_id=message.message_id if own else new_invocation_id(),
            is_repeatable=own,  # whoever heard no answer may send the message again
            wishes=Wishes(delay_ms=delay or 0),
        )
        message = message.copy(message_id=submission.id, queue_name=submission.queue)
        self.emit_before("enqueue", message, delay)
        self._line.run(submit(submission))
        self.emit_after("enqueue", message, delay)
        return message

    def consume(
        self, queue_name: str, prefetch: int = 1, timeout: int = 30_000
    ) -> dramatiq.Consumer:
        """Return a consumer of a queue; Dramatiq's prefetch and timeout do not apply.

        What is claimed is bounded by the worker's free room, and waiting is blocking.
        """
        del prefetch, timeout
        side = self._worker_side
        if side is None:
            raise RuntimeError("this broker was made without a worker side: it cannot consume")
        line = Line(self._url)
        with self._lock:
            self._consuming.append(line)
        return QueueConsumer(
            line=line,
            queue=queue_name,
            side=side,
            count_queues=lambda: len(self.queues),
            on_close=self._forget_line,
        )

    def _forget_line(self, line: Line) -> None:
        with self._lock:
            if line in self._consuming:
                self._consuming.remove(line)

    def interrupt(self) -> None:
        """Wake consumers that block in Redis, so that they see that the worker drains."""
        with self._lock:
            lines, self._consuming = self._consuming, []
        for line in lines:
            line.half_close()

    def get_results_backend(self) -> RecordBackend:
        """Return where `message.get_result()` reads: the record of the invocation."""
        return RecordBackend(self._line)

    def get_declared_delay_queues(self) -> set[str]:
        """There are none: what waits, waits in Redis."""
        return set()

    def close(self) -> None:
        """Close the connection that enqueues."""
        self._line.close()

    def _manifest(self, name: str) -> Manifest:
        data = self._line.run(read_manifest(name))
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
