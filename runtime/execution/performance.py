"""Call a loaded function once and say how that ended; nothing escapes.

The innermost step of both lanes: the runner child and the thread lane.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from runtime.errors import (
    ArgumentsError,
    LoadError,
    OutOfTimeError,
    ResultNotSerializableError,
    ResultTooLargeError,
)
from runtime.execution.ending import Ending, EndingKind
from runtime.execution.interruption import Interruption
from runtime.execution.tracebacks import message_of, traceback_of, type_names
from runtime.sdk.context import Context
from runtime.sdk.outcomes import Reject, Retry
from runtime.sdk.request import decode_request

if TYPE_CHECKING:  # a worker that has no function of the thread lane does without pydantic
    from runtime.registry.invoking import LoadedFunction
    from runtime.registry.yielding import TellItem


def perform(
    function: LoadedFunction,
    arguments: bytes,
    *,
    request: bytes | None,
    context: Context,
    tell_item: TellItem,
    max_result_bytes: int,
    make_room: Callable[[], None] | None = None,
    limit_s: float | None = None,
) -> tuple[Ending, bytes]:
    """Return how the call ended, and the result's bytes; items are told as they come.

    Args:
        function: What to call.
        arguments: A JSON object.
        request: The encoded HTTP request, if there is one.
        context: Given to the function.
        tell_item: Called with each item of a generator.
        max_result_bytes: Longest result kept.
        make_room: Called when memory has run out, before anything is made of that.
        limit_s: How long an async function may take where nobody kills its process.

    Raises:
        Interruption: The thread lane's own, and nothing else.
    """
    try:
        produced = function.call(
            arguments,
            context=context,
            request=None if request is None else decode_request(request),
            tell_item=tell_item,
            most_item_bytes=max_result_bytes,
            limit_s=limit_s,
        )
    except Interruption:
        raise
    except BaseException as error:  # noqa: BLE001 - user code may raise anything
        if make_room is not None and isinstance(error, MemoryError):
            make_room()
        return describe(error), b""
    if len(produced.result) > max_result_bytes:
        return too_large(len(produced.result), max_result_bytes), b""
    ending = Ending(
        kind="succeeded", result_type=produced.result_type, media_type=produced.media_type
    )
    return ending, produced.result


def describe(error: BaseException) -> Ending:
    """Return the ending that an exception means."""
    if isinstance(error, SystemExit):
        return Ending(
            kind="exited",
            message=f"the function called sys.exit({error.code!r:.200})",
            traceback=traceback_of(error),
        )
    if isinstance(error, OutOfTimeError):
        return Ending(kind="timeout", message=str(error))
    kind: EndingKind = "exception"
    after_s = None
    if isinstance(error, Retry):
        kind, after_s = "retry", error.after_s
    elif isinstance(error, Reject | ArgumentsError):
        kind = "rejected"
    elif isinstance(error, ResultNotSerializableError):
        kind = "result_not_serializable"
    elif isinstance(error, ResultTooLargeError):
        kind = "result_too_large"
    elif isinstance(error, MemoryError) or (
        isinstance(error, LoadError) and error.kind == MemoryError.__name__
    ):
        kind = "out_of_memory"
    return Ending(
        kind=kind,
        message=message_of(error) or type(error).__name__,
        traceback=traceback_of(error),
        exception_names=type_names(error),
        after_s=after_s,
    )


def too_large(size_bytes: int, max_result_bytes: int) -> Ending:
    """Return the ending of an attempt whose result is not kept."""
    return Ending(
        kind="result_too_large",
        message=f"the result has {size_bytes} bytes; at most {max_result_bytes} are kept",
    )
