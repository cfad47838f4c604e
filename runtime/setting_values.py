"""How a setting is declared, and how its text is read into a value.

`runtime.settings` declares its settings with `Field`. A text that does not fit a setting's type
or bounds is an error that says what the setting takes; nothing is guessed.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,3})?)\s*([kmgt]i?b|b)", re.ASCII | re.IGNORECASE)
_UNITS = {"b": 1} | {
    f"{prefix}{binary}b": base**power
    for power, prefix in enumerate("kmgt", start=1)
    for binary, base in (("", 1000), ("i", 1024))
}
_YES = frozenset({"1", "true", "yes", "on", "t", "y"})
_NO = frozenset({"0", "false", "no", "off", "f", "n"})


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One setting: its default, description, type and bounds."""

    default: object
    description: str
    kind: object
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    is_size: bool = False


def Field(  # noqa: N802 - used like `dataclasses.field`, in the place of a default value
    default: object,
    *,
    description: str,
    repr: bool = True,  # noqa: A002 - as `dataclasses.field` names it
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    is_size: bool = False,
) -> Any:  # noqa: ANN401 - stands for a value of the setting's type
    """Return a dataclass field for a setting: its default, description and bounds.

    With `is_size`, the value is a number of bytes, which may be written with a unit (`10MB`).
    """
    rules = {"description": description, "ge": ge, "gt": gt, "le": le, "is_size": is_size}
    return dataclasses.field(default=default, repr=repr, metadata=rules)


def settings_of(table: type[Any]) -> dict[str, Setting]:
    """Return the settings that a dataclass declares, by field name."""
    kinds = get_type_hints(table)
    return {
        field.name: Setting(default=field.default, kind=kinds[field.name], **field.metadata)
        for field in dataclasses.fields(table)
    }


def read_value(setting: Setting, given: object) -> object:
    """Return the value of a setting from its text; a flag's value that has the type is kept.

    Raises:
        ValueError: The text does not fit; the message says what the setting takes.
    """
    if get_origin(setting.kind) is Literal:
        choices = get_args(setting.kind)
        if given not in choices:
            raise ValueError(f"takes {', '.join(choices[:-1])} or {choices[-1]}")
        return given
    if get_origin(setting.kind) is tuple:
        return _split(given) if isinstance(given, str) else given
    if setting.kind in (int, float):
        return _read_number(setting, given)
    return _READERS[setting.kind](given)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _read_number(setting: Setting, given: object) -> object:
    what = "a whole number" if setting.kind is int else "a number"
    if setting.is_size:
        what = "bytes or a size such as 512KiB or 10MB,"
        given = _in_bytes(str(given))
    bounds = [
        f"{words} {bound:g}"
        for words, bound in (
            ("at least", setting.ge),
            ("more than", setting.gt),
            ("at most", setting.le),
        )
        if bound is not None
    ]
    try:
        value = int(str(given)) if setting.kind is int else float(str(given))
    except ValueError:
        value = float("nan")
    fits = (
        value == value  # noqa: PLR0124 - not a number
        and (setting.ge is None or value >= setting.ge)
        and (setting.gt is None or value > setting.gt)
        and (setting.le is None or value <= setting.le)
    )
    if not fits:
        raise ValueError(" ".join(["takes", what, " and ".join(bounds)]).rstrip())
    return value


def _in_bytes(text: str) -> str:
    """Return a size as a number of bytes; a text that is not a size is returned unchanged."""
    match = _SIZE.fullmatch(text.strip())
    return text if match is None else str(int(float(match[1]) * _UNITS[match[2].lower()]))


def _read_switch(given: object) -> bool:
    if isinstance(given, bool):
        return given
    word = str(given).strip().lower()
    if word not in _YES | _NO:
        raise ValueError("takes true or false")
    return word in _YES


_READERS: Mapping[object, Callable[[object], object]] = {
    str: str,
    Path: lambda given: Path(str(given)),
    bool: _read_switch,
}
