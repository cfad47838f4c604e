"""What pydantic refuses, told by JSON pointers into what the caller sent.

pydantic's locations name branches of unions, validators and keys besides the members that they
went through; a pointer names members only. So each location is walked along the arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from pydantic import ValidationError

from runtime.errors import ArgumentFault, ArgumentsError

_MOST_FAULTS = 50
_DETAIL_MOST = 500
_POINTER_MOST = 1_000
_MISSING = frozenset({"missing", "missing_argument", "missing_keyword_only_argument"})
_AT_A_KEY = "[key]"


def refusal_of(error: ValidationError, arguments: bytes) -> ArgumentsError:
    """Return what is wrong with arguments, a JSON object, that pydantic refused."""
    try:
        sent = msgspec.json.decode(arguments)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        sent = None  # it is no JSON, and that is the one fault
    faults: dict[ArgumentFault, None] = {}
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        pointer = pointer_to(_members(fault["loc"], sent, is_missing=fault["type"] in _MISSING))
        detail = fault["msg"][:_DETAIL_MOST]
        faults[ArgumentFault(pointer=pointer[:_POINTER_MOST], detail=detail)] = None
        if len(faults) == _MOST_FAULTS:
            break
    return ArgumentsError(tuple(faults))


def pointer_to(names: Iterable[str | int]) -> str:
    """Return the JSON pointer that these names and indexes make."""
    return "".join(f"/{str(name).replace('~', '~0').replace('/', '~1')}" for name in names)


def _members(
    location: tuple[int | str, ...],
    sent: Any,  # noqa: ANN401 - a JSON value is any
    *,
    is_missing: bool,
) -> list[int | str]:
    """Return the steps of a location that lead through what was sent."""
    members: list[int | str] = []
    last = len(location) - 1
    for at, step in enumerate(location):
        if step == _AT_A_KEY and at == last:
            break
        if _has(sent, step):
            sent = sent[step]
        elif not (is_missing and at == last):
            continue  # names a branch or a validator
        members.append(step)
    return members


def _has(sent: object, step: int | str) -> bool:
    if isinstance(sent, dict):
        return step in sent
    return isinstance(sent, list) and isinstance(step, int) and 0 <= step < len(sent)
