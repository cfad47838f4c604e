"""A loaded function, ready to be called with JSON.

It is in a runner or, for isolation="thread", in the worker process. For one call pydantic parses
and validates the arguments in one pass, Context and Request are injected, the function (`def`,
`async def` or a generator) runs to its end, and the result is serialised. Items of a generator are
reported as they are yielded (`runtime.registry.generator_items`). `call` does all this; a runner
that runs several attempts in one event loop uses `begin` and `finish`.
"""

from __future__ import annotations

import contextvars
import inspect
from collections.abc import Callable, Generator
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from runtime.errors import ArgumentFault, ArgumentsError, pointer_to
from runtime.registry import event_loop
from runtime.registry.exact_decimals import reader_of
from runtime.registry.generator_items import Items, SendItem
from runtime.registry.manifest import Manifest
from runtime.registry.results import Produced, produce
from runtime.registry.return_type import ReturnType
from runtime.registry.signature import Signature
from runtime.registry.validation_errors import refusal_of
from runtime.sdk.context import Context
from runtime.sdk.request import Request

_PLAIN = (str, bytes, dict, list, int, float, type(None))


def _discard(item: bytes) -> None:
    del item


class LoadedFunction:
    """One function in memory.

    Attributes:
        manifest: Its manifest.
        line: The line at which it begins in its file, None if unknown.
        docstring: Its docstring, or that of its module if it is the only function.
        takes_context: Whether it has a parameter annotated Context.
        is_async: Whether calling it returns a coroutine or an asynchronous generator.
        unload: Removes the modules of its file, and so all functions of the file.
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
        self.docstring: str | None = None
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
            context: The value of parameters annotated Context.
            request: The value of parameters annotated Request; an empty one if None.
            send_item: Called with the JSON of each item of a generator.
            most_item_bytes: Longest JSON of all items together.
            limit_s: Time limit for an async function; it does not apply to a plain function.

        Raises:
            OutOfTimeError: `limit_s` has passed.
            ArgumentsError: The arguments do not fit.
            ResultNotSerializableError: The result has no JSON form or not the declared type.
            ResultTooLargeError: The items of a generator are too long.
            BaseException: Whatever the function raised.
        """

        def act() -> Produced:
            positional, named = self._read(arguments, context, request)
            value = self._target(*positional, **named)
            if not isinstance(value, _PLAIN):
                items = Items(returns=self._items, report=send_item, most_bytes=most_item_bytes)
                value = _finish(value, items, limit_s)
                if value is items:
                    return items.produced()
            return produce(value, returns=self._returns, media_type=self._media_type)

        # In a copy of the context, so that no other call sees the context variables it sets.
        return contextvars.copy_context().run(act)

    def begin(
        self, arguments: bytes, *, context: Context, request: Request | None = None
    ) -> object:
        """Call the function and return its value, which for `async def` must still be awaited.

        It runs in the caller's context, which should be used for this call only. Raises as `call`
        does. `finish` takes the value.
        """
        positional, named = self._read(arguments, context, request)
        return self._target(*positional, **named)

    async def finish(
        self, value: object, *, send_item: SendItem = _discard, most_item_bytes: int | None
    ) -> Produced:
        """Run the value that `begin` returned to its end, in the running event loop.

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
                        pointer=pointer_to([name]), detail="is not an argument of this function"
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
    """Await a coroutine or run a generator; return its value, or `items` if they are the result."""
    if inspect.isgenerator(value):
        returned = items.run(cast("Generator[Any, Any, object]", value))
        return items if returned is None else returned
    if inspect.isasyncgen(value) or inspect.isawaitable(value):
        return event_loop.run(_settle(value, items), limit_s)
    return value


async def _settle(value: object, items: Items) -> object:
    """Await a coroutine or run an asynchronous generator; return as `_finish` does."""
    if inspect.isawaitable(value):
        value = await value
    if inspect.isasyncgen(value):
        await items.collect(value)
        return items
    return value
