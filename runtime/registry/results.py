"""From what a function returned to the bytes that are kept: strict JSON, or raw bytes.

The same boundary as for arguments: finite numbers only, no key twice, no cycles, no unknown
objects, no deeper than JSON may be. What cannot be written is a ResultNotSerializableError
that says where in the result.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal, NamedTuple

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_json

from runtime import strict_json
from runtime.errors import ResultNotSerializableError
from runtime.registry.return_type import ReturnType, encode_any, is_plain
from runtime.strict_json import DEEPEST

_MOST_DIGITS = 4_300
_FIRST_TOO_LONG = 10**_MOST_DIGITS
_LOOKED_AT = 100_000


class Produced(NamedTuple):
    """A result ready to be stored; `media_type` is what it is served as."""

    result: bytes
    result_type: Literal["json", "bytes"]
    media_type: str


def produce(value: object, *, returns: ReturnType | None, media_type: str) -> Produced:
    """Serialise a result; `media_type` is used when it is bytes.

    Args:
        value: What the function returned.
        returns: What it says it returns; None for any value.
        media_type: What bytes are served as.

    Raises:
        ResultNotSerializableError: The value has no JSON form, or is not what the function
            says it returns.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        if returns is not None:
            returns.check_bytes(bytes(value), "result")
        return Produced(result=bytes(value), result_type="bytes", media_type=media_type)
    data = encode_json(value, returns=returns)
    return Produced(result=data, result_type="json", media_type="application/json")


def encode_json(
    value: object,
    *,
    returns: ReturnType | None,
    name: str = "result",
    deepest: int = DEEPEST,
) -> bytes:
    """Return the JSON of a value that errors call `name`; bytes become base64.

    Raises:
        ResultNotSerializableError: The value has no JSON form, or is not what the function
            says it returns.
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
        return data  # one string: nothing in it can be too long, too deep, or no number
    if b"NaN" in data or b"Infinity" in data or b"null" in data:  # or written as null
        _refuse_non_finite(value, name)
    is_certain |= b"{" not in data and b"[" not in data
    if is_certain and len(data) <= _MOST_DIGITS:
        return data  # nothing in it can be too long, too deep, or twice there
    try:
        strict_json.decode(data, deepest=deepest)
    except ValueError as error:
        raise ResultNotSerializableError(_why_refused(value, name, error)) from error
    return data


def _why_refused(value: object, name: str, error: ValueError) -> str:
    """Say which part is refused at the boundary that arguments pass, too."""
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
            raise ResultNotSerializableError(f"{path} is {leaf!r}, which JSON has no word for")


def _has_non_finite(value: object) -> bool:
    """Look without remembering where; what is looked at has been serialised, so it ends."""
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
    """Find the part that cannot be written, by trying the parts one by one."""
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
    """Stands where containers are not looked into any more."""

    why: str
    is_deep: bool


_CYCLE = _Endless("contains itself", is_deep=False)
_TOO_DEEP = _Endless(f"nested more than {DEEPEST} levels deep", is_deep=True)


def _leaves(value: object, name: str) -> Iterable[tuple[str, object]]:
    """Yield (path, value) of everything that is no container, without recursion."""
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
            return None  # what it turns its fields into is its own affair
        return [(f".{name}", part) for name, part in value.__dict__.items()]
    if is_dataclass(value) and not isinstance(value, type):
        return [(f".{f.name}", getattr(value, f.name, None)) for f in fields(value)]
    return None


def _shown(key: object) -> str:
    """Return a key as errors show it; its `__repr__` may fail, as that of a huge number does."""
    try:
        return repr(key)
    except Exception:  # noqa: BLE001 - an author's code may raise anything
        return f"a key of type {type(key).__qualname__}"
