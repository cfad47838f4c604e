"""Resolve the names in `retries={"on": …}` to exception classes, when the file is loaded.

A bare name means what it means in the file: a class defined or imported there, else a built-in. A
dotted name is looked up in the file too, else imported. So `requests.ConnectionError` stands for
that one class, under the full name that it has in the module that defines it.
"""

from __future__ import annotations

import builtins
from dataclasses import replace
from types import ModuleType
from typing import Any

from runtime.errors import OptionError
from runtime.sdk.exception_names import ClassName, full_name, plain
from runtime.sdk.exceptions import Reject, Retry
from runtime.sdk.options import RetryPolicy

_ALLOWED = (
    "takes exception classes, or their names: the name of a built-in exception or of one in this "
    "file, or a full name with its module, such as 'requests.exceptions.ConnectionError'"
)
_MISSING = object()


def resolve(policy: RetryPolicy, module: ModuleType) -> RetryPolicy:
    """Return the policy with the full name of every exception.

    Args:
        policy: The policy as the author wrote it.
        module: The loaded function file.

    Raises:
        OptionError: A name can never match an exception.
    """
    names = dict.fromkeys(
        plain(name) if isinstance(name, ClassName) else _full_name_of(name, module)
        for name in policy.on
    )
    return replace(policy, on=tuple(names))


def _full_name_of(name: str, module: ModuleType) -> str:
    found = _find(name, module)
    if found is _MISSING:
        raise _fault(name, "is not found in this file and cannot be imported")
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        raise _fault(name, "is not an exception class")
    if issubclass(found, Retry):
        raise _fault(name, "always causes a retry and cannot be listed")
    if issubclass(found, Reject):
        raise _fault(name, "is never retried and cannot be listed")
    return full_name(found)


def _fault(name: str, why: str) -> OptionError:
    return OptionError(f"@function(retries={{'on': …}}): {name!r} {why}; on {_ALLOWED}")


def _find(name: str, module: ModuleType) -> object:
    first, *rest = name.split(".")
    here = vars(module).get(first, _MISSING)
    if here is _MISSING and not rest:
        here = getattr(builtins, first, _MISSING)
    found = _MISSING if here is _MISSING else _member(here, rest)
    return _import(name.split("."), module) if found is _MISSING and rest else found


def _import(parts: list[str], module: ModuleType) -> object:
    """Import a dotted name as the file itself would, including helpers beside it."""
    find: Any = vars(module)["__builtins__"]["__import__"]
    for length in range(len(parts) - 1, 0, -1):
        path = ".".join(parts[:length])
        try:
            imported = find(path, vars(module), None, (parts[length],), 0)
        except ModuleNotFoundError:
            continue
        return _member(imported, parts[length:])
    return _MISSING


def _member(value: object, names: list[str]) -> object:
    for name in names:
        value = getattr(value, name, _MISSING)
    return value
