"""Call a loaded function once and return how that ended; no exception of user code escapes.

Used by the runner process and by the thread backend. `perform_async` does the same in an event loop
that runs other calls as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from runtime.errors import (
    ArgumentsError,
    OutOfTimeError,
    ResultNotSerializableError,
    ResultTooLargeError,
)
from runtime.execution.out_of_memory import shortage_of
from runtime.execution.outcome import SUCCEEDED, Ending, EndingKind, FaultFrame
from runtime.execution.thread_interrupt import ThreadInterrupt
from runtime.execution.tracebacks import message_of, traceback_of, type_names
from runtime.sdk.context import Context
from runtime.sdk.durations import parse_duration
from runtime.sdk.exception_names import name_of
from runtime.sdk.exceptions import Reject, Retry
from runtime.sdk.request import decode_request

if TYPE_CHECKING:  # a worker without functions in threads does not import pydantic
    from runtime.registry.generator_items import SendItem
    from runtime.registry.loaded_function import LoadedFunction
    from runtime.registry.results import Produced


def perform(
    function: LoadedFunction,
    arguments: bytes,
    *,
    request: bytes | None,
    context: Context,
    send_item: SendItem,
    max_result_bytes: int,
    make_room: Callable[[], None] | None = None,
    limit_s: float | None = None,
) -> tuple[Ending, bytes]:
    """Return the ending of the call and the bytes of its result.

    Args:
        function: What to call.
        arguments: A JSON object.
        request: The encoded HTTP request, if there is one.
        context: Passed to the function.
        send_item: Called with each item of a generator as it is yielded.
        max_result_bytes: Longest result kept.
        make_room: Called when memory has run out, before the exception is examined.
        limit_s: Timeout of an async function whose process is not killed for it.

    Raises:
        ThreadInterrupt: Sent to this thread; nothing else is raised.
    """
    try:
        produced = function.call(
            arguments,
            context=context,
            request=None if request is None else decode_request(request),
            send_item=send_item,
            most_item_bytes=max_result_bytes,
            limit_s=limit_s,
        )
    except ThreadInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - user code may raise anything
        return _failed(error, make_room), b""
    return _returned(produced, max_result_bytes)


async def perform_async(
    function: LoadedFunction,
    arguments: bytes,
    *,
    request: bytes | None,
    context: Context,
    send_item: SendItem,
    max_result_bytes: int,
    make_room: Callable[[], None] | None = None,
) -> tuple[Ending, bytes]:
    """Do the same for a call that is awaited; its cancellation is an ending too."""
    try:
        value = function.begin(
            arguments,
            context=context,
            request=None if request is None else decode_request(request),
        )
        del arguments, request  # frees them: the call may wait for long, beside many others
        produced = await function.finish(
            value, send_item=send_item, most_item_bytes=max_result_bytes
        )
    except BaseException as error:  # noqa: BLE001 - user code may raise anything
        return _failed(error, make_room), b""
    return _returned(produced, max_result_bytes)


def _returned(produced: Produced, max_result_bytes: int) -> tuple[Ending, bytes]:
    if len(produced.result) > max_result_bytes:
        return too_large(len(produced.result), max_result_bytes), b""
    if produced.result_type == "json":
        return SUCCEEDED, produced.result
    ending = Ending(
        kind="succeeded", result_type=produced.result_type, media_type=produced.media_type
    )
    return ending, produced.result


def _failed(error: BaseException, make_room: Callable[[], None] | None) -> Ending:
    if make_room is not None and issubclass(type(error), MemoryError):
        make_room()
    return describe(error)


def describe(error: BaseException) -> Ending:
    """Return the ending for an exception, whatever its own methods raise.

    Raises:
        ThreadInterrupt: Sent to this thread; nothing else is raised.
    """
    names = type_names(error)
    try:
        return _describe(error, names)
    except ThreadInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - the exception's methods are user code
        text = f"<{name_of(type(error))} that cannot be described>"
        return Ending(kind="exception", message=text, exception_names=names)


def _describe(error: BaseException, names: tuple[str, ...]) -> Ending:
    # By the type: isinstance would also read `__class__`, which user code may define.
    of = type(error)
    if issubclass(of, SystemExit):
        return Ending(
            kind="exited",
            message=f"the function called sys.exit({_shown(error)})",
            traceback=traceback_of(error),
        )
    if issubclass(of, ArgumentsError):
        return _describe_refusal(cast("ArgumentsError", error))
    if issubclass(of, OutOfTimeError):
        return Ending(kind="timeout", message=message_of(error))
    kind: EndingKind = "exception"
    message, after_s = message_of(error), None
    if issubclass(of, Retry):
        kind, after_s, fault = _asked_delay(error)
        message = fault or message
    elif issubclass(of, Reject):
        kind = "rejected"
    elif issubclass(of, ResultNotSerializableError):
        kind = "result_not_serializable"
    elif issubclass(of, ResultTooLargeError):
        kind = "result_too_large"
    elif (shortage := shortage_of(error)) is not None:
        kind, message = "out_of_memory", shortage or message
    return Ending(
        kind=kind,
        message=message or name_of(of),
        traceback=traceback_of(error),
        exception_names=names,
        after_s=after_s,
    )


def _describe_refusal(error: ArgumentsError) -> Ending:
    faults = tuple(FaultFrame(pointer=fault.pointer, detail=fault.detail) for fault in error.faults)
    return Ending(kind="arguments_invalid", message=message_of(error), faults=faults)


def _shown(error: BaseException) -> str:
    try:
        return f"{error.code!r:.200}"  # type: ignore[attr-defined]
    except ThreadInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - the code may be any object
        return "…"


def _asked_delay(error: BaseException) -> tuple[EndingKind, float | None, str]:
    """Return the delay that a Retry asks for; the author's subclass may hold anything."""
    after = error.after_s  # type: ignore[attr-defined]
    if after is None:
        return "retry", None, ""
    try:
        return "retry", parse_duration(after), ""
    except ValueError as fault:
        return "exception", None, f"{name_of(type(error))}.after_s is {fault}"


def too_large(size_bytes: int, max_result_bytes: int) -> Ending:
    """Return the ending of an attempt whose result is too large to be kept."""
    return Ending(
        kind="result_too_large",
        message=f"the result has {size_bytes} bytes; at most {max_result_bytes} are kept",
    )
