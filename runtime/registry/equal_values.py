"""JSON Schemas for the values that pydantic accepts for a Literal or an enumeration.

pydantic compares as Python does: 1, 1.0 and true are equal.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic.json_schema import JsonSchemaValue

_SCALARS = (str, int, float, type(None))


def equal_to(values: list[Any]) -> JsonSchemaValue:
    """Return a schema for JSON values equal to one of `values`; if one is no scalar, for any."""
    if any(type(value) is not bool and not isinstance(value, _SCALARS) for value in values):
        return {}
    plain = [
        value if type(value) is bool or value is None else _plain_of(value) for value in values
    ]
    for value in (0, 1):
        if any(not isinstance(one, str) and one == value for one in plain):
            plain += [value, bool(value)]
    unique = {(type(one) is bool, str(one) if isinstance(one, str) else one): one for one in plain}
    made: JsonSchemaValue = {"enum": list(unique.values())}
    if len(unique) == 1:
        made = {"const": made["enum"][0]}
    return made | ({"type": "string"} if all(isinstance(one, str) for one in plain) else {})


def knows_others(kind: type[Enum]) -> bool:
    """Whether an enumeration also finds members by values other than their own."""
    if _function_behind(kind._missing_) is not _function_behind(Enum._missing_):
        return True
    return len(kind._value2member_map_) > len(kind)


def _plain_of(value: str | float) -> str | float:
    for kind in (str, int):
        if isinstance(value, kind):
            return kind(value)
    return float(value)


def _function_behind(method: object) -> object:
    return getattr(method, "__func__", method)
