"""A loaded function, ready to be called with JSON.

Lives in a runner child, or for isolation="thread" in the worker process. One call:
arguments are read and checked by pydantic in one pass, Context and Request are put
in, `def`, `async def` and generators are run to their end, the result is serialised.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from runtime.errors import ArgumentFault, ArgumentsError
from runtime.registry.manifest import Manifest
from runtime.registry.results import Produced, produce
from runtime.registry.signature import Signature
from runtime.sdk.context import Context
from runtime.sdk.request import Request

_MOST_FAULTS = 50
_loops = threading.local()


class LoadedFunction:
    """One function in memory.

    Attributes:
        manifest: What is published of it.
        line: Where it begins in its file, where that is known.
        unload: Forgets its module, and with it all functions of its file.
    """

    def __init__(
        self,
        *,
        manifest: Manifest,
        target: Callable[..., Any],
        signature: Signature,
        model: type[BaseModel],
        adapter: TypeAdapter[Any] | None,
        unload: Callable[[], None],
        line: int | None,
    ) -> None:
        self.manifest = manifest
        self.line = line
        self.unload = unload
        self._target = target
        self._validator = model.__pydantic_validator__
        self._adapter = adapter
        self._media_type = (
            manifest.result_media_type if manifest.returns_bytes else "application/octet-stream"
        )
        self._slots = tuple(
            (f"p{index}", parameter.name, parameter.positional, parameter.injected)
            for index, parameter in enumerate(signature.parameters)
        )

    def call(
        self, arguments: bytes, *, context: Context, request: Request | None = None
    ) -> Produced:
        """Run the function once.

        Args:
            arguments: A JSON object.
            context: Given to parameters annotated Context.
            request: Given to parameters annotated Request; an empty one if None.

        Raises:
            ArgumentsError: The arguments do not fit.
            ResultNotSerializableError: The result has no JSON form.
            BaseException: Whatever the function raised.
        """
        positional, named = self._read(arguments, context, request)
        value = self._target(*positional, **named)
        if not isinstance(value, str | bytes | dict | list | int | float | None):
            value = _finish(value)
        return produce(value, adapter=self._adapter, media_type=self._media_type)

    def _read(
        self, arguments: bytes, context: Context, request: Request | None
    ) -> tuple[list[Any], dict[str, Any]]:
        try:
            read = self._validator.validate_json(arguments, strict=True)
        except ValidationError as error:
            raise _arguments_error(error) from None
        values: dict[str, Any] = read.__dict__
        positional: list[Any] = []
        named: dict[str, Any] = dict(read.__pydantic_extra__ or ())
        if clash := [name for _, name, _, injected in self._slots if injected and name in named]:
            raise ArgumentsError(
                tuple(
                    ArgumentFault(
                        pointer=_pointer([name]), detail="is no argument of this function"
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


def _finish(value: object) -> object:
    """Await what can be awaited, and collect what yields."""
    if inspect.isgenerator(value):
        return list(value)
    if inspect.isasyncgen(value):
        return _loop().run(_collect(value))
    if inspect.isawaitable(value):
        return _loop().run(_settle(value))
    return value


async def _collect(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


async def _settle(value: Awaitable[Any]) -> object:
    result = await value
    return await _collect(result) if inspect.isasyncgen(result) else result


class _LoopHolder:
    """Closes its event loop when the thread that owns it ends."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        weakref.finalize(self, self.runner.close)


def _loop() -> asyncio.Runner:
    """Return this thread's event loop; it stays, so that clients bound to it do."""
    holder: _LoopHolder | None = getattr(_loops, "holder", None)
    if holder is None:
        holder = _loops.holder = _LoopHolder()
    return holder.runner


def _arguments_error(error: ValidationError) -> ArgumentsError:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return ArgumentsError(
        tuple(
            ArgumentFault(pointer=_pointer(fault["loc"]), detail=fault["msg"])
            for fault in found[:_MOST_FAULTS]
        )
    )


def _pointer(location: tuple[int | str, ...] | list[str]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)
