"""Serialise what a function returned: as strict JSON, bytes as they are, or an HTTP response.

The rules are those for arguments: finite numbers only, no duplicate keys, no cycles, no objects of
unknown types, and the same limit on nesting. A result that breaks one raises a
ResultNotSerializableError that says where in the result.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal, NamedTuple

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_json

from runtime.errors import ResultNotSerializableError
from runtime.json_shape import DEEPEST
from runtime.registry import strict_output
from runtime.registry.return_type import ReturnType, encode_any, is_plain
from runtime.sdk.response import Response, encode_response

_MOST_DIGITS = 4_300
_FIRST_TOO_LONG = 10**_MOST_DIGITS
_LOOKED_AT = 100_000


class Produced(NamedTuple):
    """A result ready to be stored, and the media type to serve it with."""

    result: bytes
    result_type: Literal["json", "bytes", "response"]
    media_type: str


def produce(value: object, *, returns: ReturnType | None, media_type: str) -> Produced:
    """Serialise a result.

    Args:
        value: What the function returned.
        returns: The declared return type; None for any value.
        media_type: Media type of the result if it is bytes.

    Raises:
        ResultNotSerializableError: The value has no JSON form or not the declared type.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        if returns is not None:
            returns.check_bytes(bytes(value), "result")
        return Produced(result=bytes(value), result_type="bytes", media_type=media_type)
    if isinstance(value, Response):
        data = encode_response(value.status, value.fields, _body_of(value))
        return Produced(result=data, result_type="response", media_type="application/json")
    data = encode_json(value, returns=returns)
    return Produced(result=data, result_type="json", media_type="application/json")


def _body_of(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    if isinstance(response.body, str):
        return response.body.encode("utf-8", "replace")
    return encode_json(response.body, returns=None, name="the response's body")


def encode_json(
    value: object,
    *,
    returns: ReturnType | None,
    name: str = "result",
    deepest: int = DEEPEST,
) -> bytes:
    """Return a value as JSON, with bytes as base64.

    Args:
        value: The value.
        returns: Its declared type; None for any value.
        name: What errors call the value.
        deepest: How deeply it may be nested.

    Raises:
        ResultNotSerializableError: The value has no JSON form or not the declared type.
    """
    try:
        is_certain = returns is None and is_plain(value)
        if is_certain:
            data = to_json(value, inf_nan_mode="constants")
        else:
            data = encode_any(value) if returns is None else returns.encode(value, name)
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        raise ResultNotSerializableError(_explain(value, name, error)) from error
    if type(value) is str and data.startswith(b'"'):
        return data  # a single string: it breaks none of the rules checked below
    # pydantic may have written a NaN or an infinity as null.
    if b"NaN" in data or b"Infinity" in data or b"null" in data:
        _refuse_non_finite(value, name)
    is_certain |= b"{" not in data and b"[" not in data
    if is_certain and len(data) <= _MOST_DIGITS:
        return data  # a short scalar or a plain value: no long number, nesting or duplicate key
    try:
        strict_output.decode(data, deepest=deepest)
    except ValueError as error:
        raise ResultNotSerializableError(_why_refused(value, name, error)) from error
    return data


def _why_refused(value: object, name: str, error: ValueError) -> str:
    """Return why the strict JSON rules refuse the value, with the part if it can be found."""
    for count, (path, leaf) in enumerate(_leaves(value, name)):
        if isinstance(leaf, int) and abs(leaf) >= _FIRST_TOO_LONG:
            return f"{path} has more than {_MOST_DIGITS} digits"
        if count > _LOOKED_AT:
            break
    return f"{name}: {error}" if "levels deep" not in str(error) else _TOO_DEEP.why


def _refuse_non_finite(value: object, name: str) -> None:
    if not _has_non_finite(value):
        return
    for path, leaf in _leaves(value, name):
        if isinstance(leaf, float) and not math.isfinite(leaf):
            raise ResultNotSerializableError(f"{path} is {leaf!r}, which JSON cannot represent")


def _has_non_finite(value: object) -> bool:
    """Whether a NaN or an infinity is in a value; it has been serialised, so it has no cycles."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, float):
            if not math.isfinite(here):
                return True
        elif isinstance(here, Mapping):
            waiting.extend(here.values())
        elif isinstance(here, list | tuple | set | frozenset):
            waiting.extend(here)
        elif not isinstance(here, str | int | None):
            waiting.extend(part for _, part in _parts(here) or ())
    return False


def _explain(value: object, name: str, error: Exception) -> str:
    """Return which part cannot be serialised and why, found by trying the parts one by one."""
    for count, (path, leaf) in enumerate(_leaves(value, name)):
        if isinstance(leaf, _Endless):
            return leaf.why if leaf.is_deep else f"{path} {leaf.why}"
        if count > _LOOKED_AT:
            break
        try:
            to_json(leaf, inf_nan_mode="constants", bytes_mode="base64")
        except (PydanticSerializationError, ValueError, TypeError, RecursionError) as fault:
            kind = f"{type(leaf).__module__}.{type(leaf).__qualname__}".removeprefix("builtins.")
            reason = str(fault)
            if "unknown type" in reason:
                return f"{path} is of type {kind}, which has no JSON form"
            return f"{path} ({kind}): {reason}"
    return str(error)


@dataclass(frozen=True, slots=True)
class _Endless:
    """A placeholder for a container that is not searched any further."""

    why: str
    is_deep: bool


_CYCLE = _Endless("contains itself", is_deep=False)
_TOO_DEEP = _Endless(f"nested more than {DEEPEST} levels deep", is_deep=True)


def _leaves(value: object, name: str) -> Iterable[tuple[str, object]]:
    """Yield (path, value) of every part that is not a container, without recursion."""
    waiting: list[tuple[str, object, tuple[int, ...]]] = [(name, value, ())]
    while waiting:
        path, here, above = waiting.pop()
        parts = _parts(here)
        if parts is None:
            yield path, here
        elif id(here) in above:
            yield path, _CYCLE
        elif len(above) > DEEPEST:
            yield path, _TOO_DEEP
        else:
            inside = (*above, id(here))
            waiting.extend((f"{path}{step}", part, inside) for step, part in reversed(list(parts)))


def _parts(value: object) -> Iterable[tuple[str, object]] | None:
    if isinstance(value, Mapping):
        return [(f"[{_shown(key)}]", part) for key, part in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [(f"[{index}]", part) for index, part in enumerate(value)]
    if isinstance(value, BaseModel):
        decorators = type(value).__pydantic_decorators__
        if decorators.field_serializers or decorators.model_serializers:
            return None  # its serialisers decide what is written, not its fields
        return [(f".{name}", part) for name, part in value.__dict__.items()]
    if is_dataclass(value) and not isinstance(value, type):
        return [(f".{f.name}", getattr(value, f.name, None)) for f in fields(value)]
    return None


def _shown(key: object) -> str:
    """Return a key for an error; its `repr` may fail, for example that of a huge integer."""
    try:
        return repr(key)
    except Exception:  # noqa: BLE001 - the author's `__repr__` may raise anything
        return f"a key of type {type(key).__qualname__}"
