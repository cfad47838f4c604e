"""Turn pydantic's validation errors into faults with JSON pointers into the caller's arguments.

A location of pydantic's has the members on the path, but also branches of unions, validators and
keys. A pointer may have members only. So each location is followed through the arguments, and
steps that lead nowhere are left out.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from runtime.errors import ArgumentFault, ArgumentsError, pointer_to

_MOST_FAULTS = 50
_DETAIL_MOST = 500
_POINTER_MOST = 1_000
_MISSING = frozenset({"missing", "missing_argument", "missing_keyword_only_argument"})
_AT_A_KEY = "[key]"


def refusal_of(error: ValidationError, arguments: bytes) -> ArgumentsError:
    """Return the error for arguments, a JSON object, that pydantic refused."""
    try:
        sent = from_json(arguments)
    except (ValueError, RecursionError):
        sent = None  # the arguments are not JSON, which is the only fault then
    faults: dict[ArgumentFault, None] = {}
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        pointer = pointer_to(_members(fault["loc"], sent, is_missing=fault["type"] in _MISSING))
        detail = fault["msg"][:_DETAIL_MOST]
        faults[ArgumentFault(pointer=pointer[:_POINTER_MOST], detail=detail)] = None
        if len(faults) == _MOST_FAULTS:
            break
    return ArgumentsError(tuple(faults))


def _members(
    location: tuple[int | str, ...],
    sent: Any,  # noqa: ANN401 - any JSON value
    *,
    is_missing: bool,
) -> list[int | str]:
    """Return the steps of a location that exist in the arguments."""
    members: list[int | str] = []
    last = len(location) - 1
    for at, step in enumerate(location):
        if step == _AT_A_KEY and at == last:
            break
        if _has(sent, step):
            sent = sent[step]
        elif not (is_missing and at == last):
            continue  # the step is a branch of a union or a validator
        members.append(step)
    return members


def _has(sent: object, step: int | str) -> bool:
    if isinstance(sent, dict):
        return step in sent
    return isinstance(sent, list) and isinstance(step, int) and 0 <= step < len(sent)
