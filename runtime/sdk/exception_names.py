"""How exception classes are named in `retries={"on": …}` and in manifests.

Classes that are built in by their bare name, all others by module and name. The modules of
function files stand below `functions`, which has another name where several versions are loaded
in one process. Classes are asked by `type`'s own ways: a metaclass may answer as it likes.
"""

from __future__ import annotations

import builtins
import re

PUBLIC_NAMESPACE = "functions"
_VERSIONED = re.compile(rf"{PUBLIC_NAMESPACE}_[0-9a-f]{{12}}(?:_[0-9]+)?(?=\.|$)")
_attribute_of = type.__getattribute__


class ClassName(str):
    """The full name of a class that was given itself, and so need not be looked up."""

    __slots__ = ()


def public_module(module: str) -> str:
    """Return a module's name as it is in every version of a function."""
    return _VERSIONED.sub(PUBLIC_NAMESPACE, module, count=1) if _VERSIONED.match(module) else module


def full_name(kind: type) -> str:
    """Return `ValueError`, or `package.module.Error`."""
    module = _attribute_of(kind, "__module__")
    if type(module) is not str or module == builtins.__name__:
        return name_of(kind)
    return f"{public_module(module)}.{plain(type.__dict__['__qualname__'].__get__(kind))}"


def name_of(kind: type) -> str:
    """Return the bare name of a class."""
    return plain(type.__dict__["__name__"].__get__(kind))


def plain(text: str) -> str:
    """Return a text of exactly the type str: a kind of str may override what it is asked."""
    return str.__str__(text)
