"""From the names in `retries={"on": …}` to the exceptions they mean, where the file is loaded.

A bare name means what it means in the file: a class that stands or is imported there, else one that
is built in. A dotted one is looked up from there too, else imported. So `requests.ConnectionError`
means that class by whatever name it has where it is defined, and nothing else of its name.
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
    "takes exception classes, or their names: of one that is built in or stands in this file, or "
    "in full with its module, such as 'requests.exceptions.ConnectionError'"
)
_MISSING = object()


def resolve(policy: RetryPolicy, module: ModuleType) -> RetryPolicy:
    """Return the policy with the full name of every exception.

    Raises:
        OptionError: One can never match.
    """
    names = dict.fromkeys(
        plain(name) if isinstance(name, ClassName) else _full_name_of(name, module)
        for name in policy.on
    )
    return replace(policy, on=tuple(names))


def _full_name_of(name: str, module: ModuleType) -> str:
    found = _find(name, module)
    if found is _MISSING:
        raise _fault(name, "names nothing that can be found from this file")
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        raise _fault(name, "names no exception class")
    if issubclass(found, Retry):
        raise _fault(name, "asks for another attempt by itself")
    if issubclass(found, Reject):
        raise _fault(name, "ends an invocation for good")
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
    """Import as the file itself would, helpers beside it included."""
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
