"""Find the callables that a loaded file publishes, and their names.

These are the callables marked @function. If there are none, it is the callable named like the
file, else `main`, else `handler`, else `handle`, which may be written for OpenFaaS. Imported
callables are never published.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from runtime.errors import LoadError
from runtime.registry.bundle import Bundle
from runtime.registry.openfaas_handle import adapt_handle
from runtime.sdk.decorator import declaration_of
from runtime.sdk.option_parsing import is_function_name
from runtime.sdk.options import Options

_FALLBACKS = ("main", "handler")
_HANDLE = "handle"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCallable:
    """A callable to publish, with its name and options.

    Attributes:
        target: As the author wrote it.
        adapter: What is called instead, if it is not called itself.
    """

    name: str
    target: Callable[..., Any]
    options: Options
    adapter: Callable[..., Any] | None = None

    @property
    def called(self) -> Callable[..., Any]:
        """What is called."""
        return self.adapter or self.target


def find_callables(module: ModuleType, bundle: Bundle) -> list[PublishedCallable]:
    """Return the callables to publish, at least one.

    Raises:
        LoadError: There is nothing to publish, a name is invalid or used twice, or a class is
            marked.
    """
    declared = list(_declared(module, bundle))
    if not declared:
        declared = [_conventional(module, bundle)]
    seen: set[str] = set()
    for published in declared:
        line = line_of(published.target)
        if inspect.isclass(published.target):
            text = f"{published.name} is a class; publish a function that creates an instance of it"
            raise LoadError("NoFunction", text, file=bundle.file, line=line)
        if not is_function_name(published.name):
            text = (
                f"{published.name!r} cannot be a function's name: use only lower-case letters, "
                "digits and _; set another name with @function(name=…)"
            )
            raise LoadError("BadName", text, file=bundle.file, line=line)
        if published.name in seen:
            text = f"{published.name} is published twice in this file"
            raise LoadError("DuplicateName", text, file=bundle.file, line=line)
        seen.add(published.name)
    return declared


def line_of(target: object) -> int | None:
    """Return the line at which a callable begins, None if it is unknown."""
    target = inspect.unwrap(target) if callable(target) else target
    code = getattr(target, "__code__", None)
    return None if code is None else code.co_firstlineno


def _declared(module: ModuleType, bundle: Bundle) -> list[PublishedCallable]:
    found: list[PublishedCallable] = []
    stem = bundle.default_name.rpartition(".")[2]
    marked = {
        bound: value
        for bound, value in vars(module).items()
        if (said := declaration_of(value)) is not None and said.module == module.__name__
    }
    seen: set[int] = set()
    for bound, value in marked.items():
        declaration = declaration_of(value)
        if declaration is None or id(value) in seen:
            continue  # a second name for the same callable
        seen.add(id(value))
        # `@function def main` in report.py is published as report, like `main` without @function.
        stands_for_file = bound in _FALLBACKS and stem not in marked
        own = stem if stands_for_file and not found else bound
        name = declaration.name or f"{bundle.prefix}{own}"
        found.append(PublishedCallable(name=name, target=value, options=declaration.options))
    return found


def _conventional(module: ModuleType, bundle: Bundle) -> PublishedCallable:
    stem = bundle.default_name.rpartition(".")[2]
    imported = _imported_names(bundle)
    names = dict.fromkeys((stem, *_FALLBACKS, _HANDLE))
    for name in names:
        target = vars(module).get(name)
        if callable(target) and name not in imported:
            is_handle = name == _HANDLE != stem
            return PublishedCallable(
                name=bundle.default_name,
                target=target,
                options=Options(),
                adapter=adapt_handle(target) if is_handle else None,
            )
    wanted = ", ".join(f"`{name}`" for name in names)
    raise LoadError(
        "NoFunction",
        f"nothing to publish: define a function named {wanted}, or mark functions with @function; "
        "if this file is only a helper, start the file's name with _",
        file=bundle.file,
        line=None,
    )


def _imported_names(bundle: Bundle) -> set[str]:
    """Return the names that the file imports and does not define itself."""
    tree = ast.parse(bundle.sources[bundle.file])
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    return names - defined
