"""Load a bundle: run its function file, find the callables to publish, and describe them.

This runs in a child process: for the publisher in one that is used once, for a worker in a runner.
For isolation="thread" it runs in the worker process. It never runs in the gateway.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from typing import Any

from pydantic import PydanticUserError

from runtime.errors import LoadError
from runtime.registry.bundle import Bundle
from runtime.registry.callables import PublishedCallable, find_callables, line_of
from runtime.registry.importer import ModuleSpace
from runtime.registry.loaded_function import LoadedFunction
from runtime.registry.manifest import Manifest, resolve_per_process
from runtime.registry.return_type import return_type
from runtime.registry.schema import (
    arguments_model,
    is_bytes,
    parameters_schema,
    result_schema,
    unreadable_part,
    validation_schema,
)
from runtime.registry.secret_paths import find_secrets
from runtime.registry.signature import Signature, SignatureError, read_signature
from runtime.sdk.exception_names import name_of, plain

_MESSAGE_MOST = 2_000
_SYNTAX_ERRORS = (SyntaxError, IndentationError, TabError)


def load(
    bundle: Bundle, *, namespace: str | None = None, is_described: bool = True
) -> dict[str, LoadedFunction]:
    """Return the bundle's functions by name; `.unload()` of any of them unloads all.

    Args:
        bundle: The bundle to load.
        namespace: Package name for its modules; by default "functions", or a name with the version
            if that is taken.
        is_described: Whether the manifests have the schemas that callers see. A runner needs none.

    Raises:
        LoadError: It cannot be loaded; the error has the file and the line.
    """
    space = ModuleSpace(bundle, namespace)
    line: int | None = None
    try:
        module = space.import_function_file()
        found = find_callables(module, bundle)
        only = found[0] if len(found) == 1 else None
        loaded: dict[str, LoadedFunction] = {}
        for published in found:
            line = line_of(published.target)
            fallback = module.__doc__ if published is only else None
            loaded[published.name] = make_function(
                published,
                module=module.__name__,
                file=bundle.file,
                version=bundle.version,
                unload=space.remove,
                fallback=fallback,
                is_described=is_described,
            )
    except LoadError:
        space.remove()
        raise
    except BaseException as error:  # whatever the file raises, SystemExit included
        space.remove()
        raise _load_error_of(error, bundle, line=line) from error
    return loaded


def make_function(
    published: PublishedCallable,
    *,
    module: str,
    file: str,
    version: str,
    unload: Callable[[], None],
    fallback: str | None,
    is_described: bool,
) -> LoadedFunction:
    """Return a callable, ready to be called with JSON.

    Args:
        published: The callable.
        module: Name of the module that its types are looked up in.
        file: Its file.
        version: The version of its file.
        unload: Removes the modules of its file.
        fallback: Its docstring if it has none of its own.
        is_described: Whether the manifest has the schemas that callers see.

    Raises:
        SignatureError: It cannot be called with a JSON object.
    """
    signature = read_signature(published.called)
    try:
        model = arguments_model(signature, module)
        said = None if signature.returns is Any else return_type(signature.returns)
        items = None if signature.items is Any else return_type(signature.items)
        parameters: dict[str, Any] = {}
        judged_by: dict[str, Any] | None = None
        returns: dict[str, Any] = {}
        if is_described:
            parameters = parameters_schema(model, signature)
            judged_by = validation_schema(model, signature, parameters)
        returns_bytes = is_bytes(signature.returns)
        if said is not None and (is_described or returns_bytes):  # it has the media type
            returns = result_schema(said.adapter, signature.returns)
    except PydanticUserError as error:
        raise SignatureError(unreadable_part(signature) or error.message) from error
    manifest = Manifest(
        name=published.name,
        version=version,
        file=file,
        parameters=parameters,
        judged_by=judged_by,
        secrets=find_secrets(parameters, judged_by or {}),
        returns=returns,
        options=resolve_per_process(published.options, is_async=signature.is_async),
        injected={p.name: p.injected for p in signature.parameters if p.injected is not None},
        bytes_parameters=tuple(
            p.name for p in signature.parameters if p.injected is None and is_bytes(p.annotation)
        ),
        raw_parameter=_raw_parameter(signature),
        returns_bytes=returns_bytes,
        result_media_type=_media_type(returns) if returns_bytes else "application/json",
        returns_response=signature.answers,
    )
    loaded = LoadedFunction(
        manifest=manifest,
        target=published.called,
        line=line_of(published.target),
        signature=signature,
        model=model,
        returns=None if signature.handed_back is Any else said,
        items=items,
        unload=unload,
    )
    loaded.docstring = _docstring_of(published.target) or fallback
    return loaded


def _docstring_of(target: Callable[..., Any]) -> str | None:
    if not (inspect.isroutine(target) or hasattr(target, "__wrapped__")):
        return inspect.getdoc(type(target).__call__)
    return inspect.getdoc(target)


def _raw_parameter(signature: Signature) -> str | None:
    """Return the name of the only parameter without a default, if its type is bytes."""
    required = [p for p in signature.parameters if p.injected is None and p.is_required]
    only = required[0] if len(required) == 1 else None
    return only.name if only is not None and is_bytes(only.annotation) else None


def _media_type(returns: dict[str, Any]) -> str:
    found = returns.get("contentMediaType")
    return found if isinstance(found, str) else "application/octet-stream"


def _load_error_of(error: BaseException, bundle: Bundle, *, line: int | None = None) -> LoadError:
    """Return the error to show to the author, whatever the methods of their exception raise.

    Its place is the line that a SyntaxError names, else the deepest frame in one of the bundle's
    files, else the function file at `line`.
    """
    if type(error) is LoadError:
        return error
    file, found_line = _place_of(error, bundle)
    if issubclass(type(error), SystemExit):
        kind = "Exited"
        text = f"the file ended its process while loading (exit code {_code_of(error)})"
    else:
        kind, text = name_of(type(error)), _text_of(error)
    return LoadError(
        kind, text[:_MESSAGE_MOST], file=file or bundle.file, line=found_line if file else line
    )


def _place_of(error: BaseException, bundle: Bundle) -> tuple[str | None, int | None]:
    # Only Python's own classes: the fields of an author's subclass may hold anything.
    if type(error) in _SYNTAX_ERRORS and isinstance(error, SyntaxError) and error.filename:
        file = bundle.file_of(error.filename)
        if file is not None:
            return file, error.lineno
    place: tuple[str | None, int | None] = (None, None)
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = bundle.file_of(frame.f_code.co_filename)
        if file is not None:
            place = (file, line)
    return place


def _text_of(error: BaseException) -> str:
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        return plain(text).encode("utf-8", "replace").decode() or name_of(type(error))
    except BaseException:  # noqa: BLE001 - an author's __str__ may raise anything
        return "(the exception's text cannot be read)"


def _code_of(error: BaseException) -> str:
    try:
        code = error.code  # type: ignore[attr-defined]
        return "0" if code is None else plain(f"{code}")
    except BaseException:  # noqa: BLE001 - the code may be any object of the author's
        return "unknown"
