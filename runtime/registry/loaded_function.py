"""A loaded function, ready to be called with JSON.

Lives in a runner child, or for isolation="thread" in the worker process. One call:
arguments are read and checked by pydantic in one pass, Context and Request are put
in, `def`, `async def` and generators are run to their end, the result is serialised.
What generators yield is told as it comes (`runtime.registry.generator_items`). Who has an event
loop of its own awaits the call (`call_async`), beside others.
"""

from __future__ import annotations

import contextvars
import inspect
from collections.abc import Callable, Generator
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from runtime.errors import ArgumentFault, ArgumentsError
from runtime.registry import event_loop
from runtime.registry.exact_decimals import reader_of
from runtime.registry.generator_items import Items, SendItem
from runtime.registry.manifest import Manifest
from runtime.registry.results import Produced, produce
from runtime.registry.return_type import ReturnType
from runtime.registry.signature import Signature
from runtime.registry.validation_errors import pointer_to, refusal_of
from runtime.sdk.context import Context
from runtime.sdk.request import Request

_PLAIN = (str, bytes, dict, list, int, float, type(None))


def _discard(item: bytes) -> None:
    del item


class LoadedFunction:
    """One function in memory.

    Attributes:
        manifest: What is published of it.
        line: Where it begins in its file, where that is known.
        takes_context: Whether it has a parameter annotated Context.
        is_async: Whether calling it gives a coroutine or an asynchronous generator.
        unload: Forgets its module, and with it all functions of its file.
    """

    def __init__(
        self,
        *,
        manifest: Manifest,
        target: Callable[..., Any],
        signature: Signature,
        model: type[BaseModel],
        returns: ReturnType | None,
        items: ReturnType | None,
        unload: Callable[[], None],
        line: int | None,
    ) -> None:
        self.manifest = manifest
        self.line = line
        self.unload = unload
        self._target = target
        self.takes_context = any(p.injected == "context" for p in signature.parameters)
        self.is_async = signature.is_async
        self._reader = reader_of(model)
        self._returns = returns
        self._items = items
        self._media_type = (
            manifest.result_media_type if manifest.returns_bytes else "application/octet-stream"
        )
        self._slots = tuple(
            (f"p{index}", parameter.name, parameter.positional, parameter.injected)
            for index, parameter in enumerate(signature.parameters)
        )

    def call(
        self,
        arguments: bytes,
        *,
        context: Context,
        request: Request | None = None,
        send_item: SendItem = _discard,
        most_item_bytes: int | None = None,
        limit_s: float | None = None,
    ) -> Produced:
        """Run the function once.

        Args:
            arguments: A JSON object.
            context: Given to parameters annotated Context.
            request: Given to parameters annotated Request; an empty one if None.
            send_item: Called with the JSON of each item of a generator.
            most_item_bytes: Longest JSON of all items.
            limit_s: How long what is awaited may take; a plain function is not held to it.

        Raises:
            OutOfTimeError: `limit_s` has passed.
            ArgumentsError: The arguments do not fit.
            ResultNotSerializableError: The result has no JSON form.
            ResultTooLargeError: The items of a generator are too long.
            BaseException: Whatever the function raised.
        """
        # A context of its own: what one call binds, no other call sees.
        return contextvars.copy_context().run(
            self._call, arguments, context, request, send_item, most_item_bytes, limit_s
        )

    def _call(
        self,
        arguments: bytes,
        context: Context,
        request: Request | None,
        send_item: SendItem,
        most_item_bytes: int | None,
        limit_s: float | None,
    ) -> Produced:
        positional, named = self._read(arguments, context, request)
        value = self._target(*positional, **named)
        if not isinstance(value, _PLAIN):
            items = Items(returns=self._items, report=send_item, most_bytes=most_item_bytes)
            value = _finish(value, items, limit_s)
            if value is items:
                return items.produced()
        return produce(value, returns=self._returns, media_type=self._media_type)

    def begin(
        self, arguments: bytes, *, context: Context, request: Request | None = None
    ) -> object:
        """Call the function and return what it gives: of `async def`, what has yet to be awaited.

        In the caller's context, which should be of this call alone; raises as `call` does.
        """
        positional, named = self._read(arguments, context, request)
        return self._target(*positional, **named)

    async def finish(
        self, value: object, *, send_item: SendItem = _discard, most_item_bytes: int | None
    ) -> Produced:
        """Run to its end what `begin` has returned, in the running event loop.

        Raises:
            BaseException: As `call` does.
        """
        if not isinstance(value, _PLAIN):
            items = Items(returns=self._items, report=send_item, most_bytes=most_item_bytes)
            value = await _settle(value, items)
            if value is items:
                return items.produced()
        return produce(value, returns=self._returns, media_type=self._media_type)

    def _read(
        self, arguments: bytes, context: Context, request: Request | None
    ) -> tuple[list[Any], dict[str, Any]]:
        try:
            read = self._reader.validate_json(arguments, strict=True)
        except ValidationError as error:
            raise refusal_of(error, arguments) from None
        values: dict[str, Any] = read.__dict__
        positional: list[Any] = []
        named: dict[str, Any] = dict(read.__pydantic_extra__ or ())
        if named and (clash := [n for _, n, _, injected in self._slots if injected and n in named]):
            raise ArgumentsError(
                tuple(
                    ArgumentFault(
                        pointer=pointer_to([name]), detail="is no argument of this function"
                    )
                    for name in clash
                )
            )
        for slot, name, is_positional, injected in self._slots:
            if injected is None:
                value = values[slot]
            else:
                value = context if injected == "context" else request or Request()
            if is_positional:
                positional.append(value)
            else:
                named[name] = value
        return positional, named


def _finish(value: object, items: Items, limit_s: float | None) -> object:
    """Await what can be awaited, run what yields; return `items` when they are the result."""
    if inspect.isgenerator(value):
        returned = items.run(cast("Generator[Any, Any, object]", value))
        return items if returned is None else returned
    if inspect.isasyncgen(value) or inspect.isawaitable(value):
        return event_loop.run(_settle(value, items), limit_s)
    return value


async def _settle(value: object, items: Items) -> object:
    """Do the same with what must be awaited."""
    if inspect.isawaitable(value):
        value = await value
    if inspect.isasyncgen(value):
        await items.collect(value)
        return items
    return value
