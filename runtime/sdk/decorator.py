"""The decorator @function, which marks a callable to be published and sets its options.

It only attaches a `Declaration`; the callable itself is unchanged, so tests and other code can
call it. The registry reads declarations when a file loads.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, Unpack, overload

from runtime.errors import OptionError
from runtime.sdk.option_parsing import parse_options
from runtime.sdk.option_types import FunctionOptions
from runtime.sdk.options import Options

_ATTRIBUTE = "__penstock_function__"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """The arguments of one @function.

    Attributes:
        name: The name to publish, None if not given.
        options: The checked options.
        module: Name of the module in which the decorator was applied.
    """

    name: str | None
    options: Options
    module: str


@overload
def function(target: F, /) -> F: ...
@overload
def function(target: None = None, /, **options: Unpack[FunctionOptions]) -> Callable[[F], F]: ...
def function(
    target: F | None = None, /, **options: Unpack[FunctionOptions]
) -> F | Callable[[F], F]:
    """Mark a callable to be published: `@function` or `@function(timeout="30s", retries=2)`.

    Options: name, timeout, grace, retries, queue, concurrency, per_process, rate, priority,
    schedule, timezone, isolation, memory, max_age, max_waiting, result_ttl, methods, cors,
    verify.

    Raises:
        OptionError: An option is unknown or its value is not allowed; the text says what is
            allowed.
    """
    module = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001 - the decorated module
    if target is not None and not callable(target):
        raise OptionError(
            f"@function({target!r}): give options by name, such as @function(timeout='30s')"
        )
    name, parsed = parse_options(options)
    declaration = Declaration(name=name, options=parsed, module=module)

    def declare(callable_: F) -> F:
        if not callable(callable_):
            raise OptionError(f"@function must decorate a function, not {callable_!r}")
        try:
            setattr(callable_, _ATTRIBUTE, declaration)
        except AttributeError as error:
            raise OptionError(
                f"@function cannot mark {callable_!r}; wrap it in a function"
            ) from error
        return callable_

    return declare if target is None else declare(target)


def declaration_of(value: object) -> Declaration | None:
    """Return the declaration that @function attached to `value`, None if there is none."""
    try:
        found = vars(value).get(_ATTRIBUTE)
    except Exception:  # noqa: BLE001 - any object of the file: a proxy may raise anything
        return None
    return found if isinstance(found, Declaration) else None
