"""`call`: run a function in a test as Penstock would, and return its result.

The arguments go the way of a caller's: to JSON, against the function's schema as the gateway checks
it, and by pydantic into the types of the parameters. The result goes to JSON and back. There is no
time limit, no memory limit and no limit on sizes. A function never runs inside a running event
loop, so a test that has one (pytest-asyncio, anyio) is left for another thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections.abc import Callable
from concurrent import futures
from types import TracebackType
from typing import Any

from runtime.execution.notes import encode_event, encode_progress
from runtime.execution.tracebacks import is_of_runtime
from runtime.invocations.ids import new_invocation_id
from runtime.registry import strict_output
from runtime.registry.argument_check import check_arguments
from runtime.registry.loaded_function import LoadedFunction
from runtime.registry.results import Produced
from runtime.sdk.context import Context, Number
from runtime.sdk.response import Response, decode_response
from runtime.testing.arguments import Given
from runtime.testing.notes import Notes
from runtime.testing.target import Target, find_function

_threads = futures.ThreadPoolExecutor(thread_name_prefix="penstock-call")
_FUTURES = futures.__file__.rpartition("/")[0]


def call(target: Target, /, **arguments: Any) -> Any:  # noqa: ANN401 - any arguments, any JSON
    """Run a function once, as Penstock would, and return its result as decoded JSON.

    Bytes stay bytes; a generator gives the list of its items; a `Response` comes back as one, whose
    body is bytes. What the function raises is raised.

    Args:
        target: The function, or `PATH` or `PATH:NAME` of its file.
        **arguments: Its arguments, by name: JSON values, or Python values that are written as JSON
            first. A parameter that is annotated Context or Request may be given one.

    Raises:
        ArgumentsError: The arguments do not fit the function; `faults` has each place and why.
        ResultNotSerializableError: The result has no JSON form or not the declared type.
        LoadError: The function or its file cannot be loaded.
        TypeError: An argument has no JSON form.
    """
    try:
        function = find_function(target)
        return perform(function, Given.of(function.manifest, arguments), Notes())
    except BaseException as error:  # its reader wants the test's line and the function's
        error.__traceback__ = authors_part(error.__traceback__)
        raise


def perform(function: LoadedFunction, given: Given, notes: Notes) -> Any:  # noqa: ANN401
    """Run a function once and return its decoded result; `notes` gets what it reports.

    Raises:
        BaseException: As `call` does.
    """
    check_arguments(function.manifest, strict_output.decode(given.arguments))

    def act() -> Produced:
        return function.call(
            given.arguments,
            context=_context_of(function, given.context, notes),
            request=given.request,
            send_item=lambda item: notes.items.append(json.loads(item)),
        )

    produced = _apart(act) if _is_in_event_loop() else act()
    if produced.result_type == "response":
        return _response_of(produced.result)
    return json.loads(produced.result) if produced.result_type == "json" else produced.result


def authors_part(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback from the first frame that is not ours on, None without one."""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not is_of_runtime(file) and not file.startswith(_FUTURES):
            return trace
        trace = trace.tb_next
    return None


def _context_of(function: LoadedFunction, given: Context, notes: Notes) -> Context:
    """Return the context to inject: what the test says of the call, and a listener of ours."""

    def progress(done: Number, total: Number | None, message: str) -> None:
        encode_progress(done, total, message)
        notes.add_progress(done, total, message)
        given.progress(done, total, message)

    def event(value: object) -> None:
        notes.events.append(json.loads(encode_event(value)))
        given.emit(value)

    return Context(
        id=given.id or new_invocation_id(),
        function=given.function or function.manifest.name,
        attempt=given.attempt,
        timeout_s=given.remaining_s,
        traceparent=given.traceparent,
        tracestate=given.tracestate,
        on_progress=progress,
        on_event=event,
        is_cancelled=lambda: given.cancelled,
        log=given.log,
    )


def _response_of(stored: bytes) -> Response:
    response = decode_response(stored)
    headers: dict[str, list[str]] = {}
    for name, value in response.headers:
        headers.setdefault(name, []).append(value)
    return Response(response.body, response.status, headers)


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _apart(act: Callable[[], Produced]) -> Produced:
    """Run it in another thread, which is used again: clients stay bound to its event loop."""
    return _threads.submit(contextvars.copy_context().run, act).result()
