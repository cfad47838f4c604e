"""The names of exception classes in `retries={"on": …}` and in manifests.

A built-in class has its bare name, any other class its module and name. Modules of function files
are below `functions`, even where the package has another name because several versions are loaded
in one process. Names are read with the methods of `type` itself, as a metaclass of a function
author could return anything.
"""

from __future__ import annotations

import builtins
import re

PUBLIC_NAMESPACE = "functions"
_VERSIONED = re.compile(rf"{PUBLIC_NAMESPACE}_[0-9a-f]{{12}}(?:_[0-9]+)?(?=\.|$)")
_attribute_of = type.__getattribute__


class ClassName(str):
    """The full name of a class; unlike a name that an author wrote, it needs no lookup."""

    __slots__ = ()


def full_name(kind: type) -> str:
    """Return `ValueError`, or `package.module.Error`."""
    module = _attribute_of(kind, "__module__")
    if type(module) is not str or module == builtins.__name__:
        return name_of(kind)
    if _VERSIONED.match(module):
        module = _VERSIONED.sub(PUBLIC_NAMESPACE, module, count=1)
    return f"{module}.{plain(type.__dict__['__qualname__'].__get__(kind))}"


def name_of(kind: type) -> str:
    """Return the bare name of a class."""
    return plain(type.__dict__["__name__"].__get__(kind))


def plain(text: str) -> str:
    """Return the text as a plain str; a subclass of str may override its methods."""
    return str.__str__(text)
