"""Read a callable's signature: its parameters, what is injected, and what it returns.

It is read once, when the file loads. Annotations are resolved in the module that defines the
callable, so `from __future__ import annotations` makes no difference.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic.fields import FieldInfo

from runtime.registry.manifest import Injected
from runtime.sdk.context import Context
from runtime.sdk.request import Request
from runtime.sdk.response import Response

REQUIRED: Any = inspect.Parameter.empty
_INJECTED: dict[object, Injected] = {Context: "context", Request: "request"}
_AWAITED = (abc.Awaitable, abc.Coroutine)
_ITERATED = (
    abc.Iterator,
    abc.Iterable,
    abc.Generator,
    abc.AsyncIterator,
    abc.AsyncIterable,
    abc.AsyncGenerator,
)
_GENERATOR_PARTS = 3  # yielded, sent, returned


class SignatureError(Exception):
    """A signature that cannot be called with a JSON object; the text says which part and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter; `default` is REQUIRED if it has none."""

    name: str
    annotation: Any
    default: Any
    positional: bool
    injected: Injected | None

    @property
    def is_required(self) -> bool:
        """Whether a caller must pass it."""
        if isinstance(self.default, FieldInfo):
            return self.default.is_required()
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A callable's parameters and types.

    Attributes:
        parameters: The parameters in order, without *args and **kwargs.
        takes_extras: Whether it has **kwargs.
        extras: The annotation of **kwargs, if any.
        returns: The type of the result: of the awaited value, or a list of a generator's items.
        handed_back: The type that a returned value must have: `returns`, or Any if a generator's
            annotation says only what it yields.
        answers: Whether it may return a `Response`, by its annotation; `returns` is the rest.
        items: The type of a generator's items, Any if it yields nothing.
        is_async: Whether calling it returns a coroutine or an asynchronous generator. False for a
            `def` that returns another function's coroutine, as it may block before it returns.
    """

    parameters: tuple[Parameter, ...]
    takes_extras: bool
    extras: Any
    returns: Any
    handed_back: Any
    answers: bool
    items: Any
    is_async: bool


def read_signature(target: Callable[..., Any]) -> Signature:
    """Return the signature of `target`.

    Raises:
        SignatureError: It takes *args, it has no readable signature, or an annotation cannot be
            resolved.
    """
    try:
        read = inspect.signature(target)
    except ValueError as error:
        raise SignatureError(f"the function's signature cannot be read: {error}") from error
    hints = _hints(target)
    parameters: list[Parameter] = []
    takes_extras, extras = False, None
    for name, parameter in read.parameters.items():
        annotation = hints.get(name, Any)
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise SignatureError(
                f"a JSON object has no value for *{name}; use a parameter that takes a list "
                f"instead, such as `{name}: list[int]`"
            )
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_extras, extras = True, annotation
            continue
        parameters.append(
            Parameter(
                name=name,
                annotation=annotation,
                default=parameter.default,
                positional=parameter.kind is parameter.POSITIONAL_ONLY,
                injected=_injected_by(annotation),
            )
        )
    declared = hints.get("return", Any)
    returns, says_all = _returns(target, declared)
    returns, answers = _without_response(returns)
    return Signature(
        parameters=tuple(parameters),
        takes_extras=takes_extras,
        extras=extras,
        returns=returns,
        handed_back=returns if says_all else Any,
        answers=answers,
        items=_items(declared),
        is_async=_is_async(target),
    )


def bare_type(annotation: Any) -> Any:  # noqa: ANN401 - annotations are any object
    """Return the type inside Annotated, and inside a union of one type and None."""
    while typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        members = [part for part in typing.get_args(annotation) if part is not type(None)]
        if len(members) == 1:
            return bare_type(members[0])
    return annotation


def _is_async(target: Callable[..., Any]) -> bool:
    # `__wrapped__` is not followed: the wrapper is what is called.
    called: Any = target
    while isinstance(called, functools.partial):
        called = called.func
    candidates = (called, type(called).__call__)  # a function, or an object with a `__call__`
    return any(inspect.iscoroutinefunction(c) or inspect.isasyncgenfunction(c) for c in candidates)


def _hints(target: Callable[..., Any]) -> dict[str, Any]:
    inner: Any = target
    while isinstance(inner, functools.partial):
        inner = inner.func
    inner = inspect.unwrap(inner)
    if not isinstance(inner, types.FunctionType | types.MethodType | types.BuiltinFunctionType):
        inner = inspect.unwrap(type(inner).__call__)
    try:
        return typing.get_type_hints(inner, include_extras=True)
    except NameError as error:
        raise SignatureError(
            f"an annotation uses the name {error.name!r}, which does not exist when the file runs "
            "(a name imported under TYPE_CHECKING does not exist then)"
        ) from error
    except (TypeError, AttributeError, SyntaxError) as error:
        raise SignatureError(f"an annotation cannot be resolved: {error}") from error


def _injected_by(annotation: Any) -> Injected | None:  # noqa: ANN401
    bare = bare_type(annotation)
    try:
        return _INJECTED.get(bare)
    except TypeError:
        return None  # an annotation that cannot be hashed


def _without_response(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401
    """Return an annotation without `Response`, which has no schema, and whether it was there."""
    while typing.get_origin(annotation) is Annotated:
        inner = typing.get_args(annotation)[0]
        if not _names_response(inner):
            break
        annotation = inner
    if not _names_response(annotation):
        return annotation, False
    others = [part for part in typing.get_args(annotation) if part is not Response]
    return (typing.Union[tuple(others)] if others else Any), True  # noqa: UP007 - made at run time


def _names_response(annotation: Any) -> bool:  # noqa: ANN401
    is_union = typing.get_origin(annotation) in {typing.Union, types.UnionType}
    return annotation is Response or (is_union and Response in typing.get_args(annotation))


def _returns(target: Callable[..., Any], annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401
    """Return the type of the result, and whether a returned value must have this type too.

    The result of a coroutine is its awaited value. The result of a generator is a list of its
    items, or what it returns if its annotation declares that.
    """
    inner = inspect.unwrap(target)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in _AWAITED and args:
        return args[-1], True
    yields = inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner)
    if yields:
        listed = types.GenericAlias(list, _items(annotation))
        returned = args[-1] if origin is abc.Generator and len(args) == _GENERATOR_PARTS else None
        if returned in {None, type(None)}:
            return listed, False
        return (
            returned if type(None) not in typing.get_args(returned) else listed | returned
        ), True
    if annotation in {typing.NoReturn, typing.Never}:
        return None, True
    return annotation, True


def _items(annotation: Any) -> Any:  # noqa: ANN401
    """Return the type of a generator's items, from the annotation of its result."""
    args = typing.get_args(annotation)
    return args[0] if typing.get_origin(annotation) in _ITERATED and args else Any
