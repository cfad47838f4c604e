"""What a test calls: a callable, or the function of a file, prepared as a runner prepares it."""

from __future__ import annotations

import inspect
import itertools
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from runtime.errors import LoadError
from runtime.registry.bundle import Bundle
from runtime.registry.callables import PublishedCallable, line_of
from runtime.registry.loaded_function import LoadedFunction
from runtime.registry.loading import load, make_function
from runtime.registry.signature import SignatureError
from runtime.sdk.decorator import declaration_of
from runtime.sdk.exception_names import PUBLIC_NAMESPACE
from runtime.sdk.options import Options
from runtime.testing.function_file import choose, read_file, split_name

Target = Callable[..., Any] | str | os.PathLike[str]
_count = itertools.count(1)
_loaded: dict[tuple[str, str, str], dict[str, LoadedFunction]] = {}  # until the process ends


def find_function(target: Target) -> LoadedFunction:
    """Return the function to call.

    Args:
        target: A callable, or `PATH` or `PATH:NAME` of a function file, which is loaded once.

    Raises:
        FileNotFoundError: There is no such file.
        LoadError: The function or its file cannot be loaded.
        ImportError: The file imports what is not installed here.
        UnknownFunctionError: The file does not publish that function, or several.
    """
    if callable(target):
        return _of_callable(target)
    path, wanted = split_name(os.fspath(target))
    found, bundle = read_file(path)
    key = (bundle.root, bundle.file, bundle.version)
    if key not in _loaded:
        _loaded[key] = _load(bundle, path, has_packages=found.needs is not None)
    functions = _loaded[key]
    return functions[choose(functions, wanted, str(path))]


def _load(bundle: Bundle, path: Path, *, has_packages: bool) -> dict[str, LoadedFunction]:
    # Never as `functions` itself, which a test may import as well.
    namespace = f"{PUBLIC_NAMESPACE}_{bundle.version}_{next(_count)}"
    try:
        return load(bundle, namespace=namespace)
    except LoadError as error:
        cause = error.__cause__
        if not isinstance(cause, ImportError):
            raise
        if has_packages:
            cause.add_note(
                f"{path} names its packages in a block, and a test has only those that are "
                "installed beside it: install them there (`uv run --with PACKAGE pytest`), or run "
                f"the function in an environment of its own (`penstock run {path}`)."
            )
        raise cause from None


@lru_cache(maxsize=128)
def _of_callable(target: Callable[..., Any]) -> LoadedFunction:
    declaration = declaration_of(target)
    declared = None if declaration is None else declaration.name
    name = declared or getattr(target, "__name__", "") or "function"
    options = Options() if declaration is None else declaration.options
    file = _file_of(target)
    try:
        return make_function(
            PublishedCallable(name=name, target=target, options=options),
            module=getattr(target, "__module__", None) or __name__,
            file=file,
            version="",
            unload=lambda: None,
            fallback=None,
            is_described=True,
        )
    except SignatureError as error:
        kind, text = type(error).__name__, str(error)
        raise LoadError(kind, text, file=file, line=line_of(target)) from error


def _file_of(target: Callable[..., Any]) -> str:
    try:
        return inspect.getsourcefile(inspect.unwrap(target)) or ""
    except TypeError:
        return ""
