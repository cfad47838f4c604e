"""Every error Penstock raises on purpose; each carries a stable `code`.

    PenstockError
    ├── SettingsError               a setting, flag or environment variable is wrong
    ├── StoreError
    │   ├── StoreUnavailableError   Redis is away, hung, loading or refuses to answer
    │   ├── StoreRefusedError       Redis answers but refuses to write (out of memory, disk full)
    │   └── StoreTooOldError        Redis is older than 6.2
    ├── OptionError                 an option of @function is wrong
    ├── LoadError                   a function file cannot be loaded; knows file and line
    ├── UnknownFunctionError        no function of that name
    ├── FunctionUnavailableError    the function exists, but no version of it ever loaded
    ├── UnknownInvocationError      no invocation of that id
    ├── InvocationGoneError         the id was ours, but its record is no longer kept
    ├── ArgumentsError              arguments that do not fit the schema; knows a pointer to each
    ├── ResultNotSerializableError  a result that JSON cannot hold; knows where in it
    ├── ResultTooLargeError         items of a generator that are more than a result may be
    ├── CallbackAddressError        a callback address that may not be called
    └── ProcessError                a child process could not be started
        └── ChannelClosedError      the other end of a channel is gone or speaks no frames
            ├── ChannelResetError   it went without having read all that was sent to it
            └── ChannelGarbledError what it sends is no frame, or says nothing we know

The gateway turns codes into HTTP statuses in `gateway.problems`, nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class PenstockError(Exception):
    """The root of the tree; `code` is API, the text is not."""

    code: ClassVar[str] = "internal_error"


class SettingsError(PenstockError):
    """A setting is wrong; the text names it and what it takes."""

    code = "settings_invalid"


class StoreError(PenstockError):
    """Something about Redis."""

    code = "store_error"


class StoreUnavailableError(StoreError):
    """Redis cannot be reached or does not answer in time."""

    code = "store_unavailable"


class StoreRefusedError(StoreError):
    """Redis answers, but cannot take writes (OOM, MISCONF, READONLY)."""

    code = "store_refused"


class StoreTooOldError(StoreError):
    """Redis is older than the commands and semantics we rely on."""

    code = "store_too_old"


class OptionError(PenstockError):
    """An option of @function is wrong; the text says what is allowed."""

    code = "option_invalid"


class LoadError(PenstockError):
    """A function file could not be loaded."""

    code = "function_load_failed"

    def __init__(self, kind: str, message: str, *, file: str, line: int | None) -> None:
        super().__init__(f"{file}:{line or 0}: {kind}: {message}")
        self.kind = kind
        self.message = message
        self.file = file
        self.line = line


class UnknownFunctionError(PenstockError):
    """No function of that name is published."""

    code = "function_not_found"


class FunctionUnavailableError(PenstockError):
    """The function's file never loaded; its error is in GET /functions/{name}."""

    code = "function_unavailable"


class UnknownInvocationError(PenstockError):
    """No invocation of that id exists."""

    code = "invocation_not_found"


class InvocationGoneError(PenstockError):
    """An invocation is older than its retention."""

    code = "invocation_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentFault:
    """One wrong argument: a JSON pointer into the body and what is wrong there."""

    pointer: str
    detail: str


class ArgumentsError(PenstockError):
    """Arguments do not fit the function's schema."""

    code = "arguments_invalid"

    def __init__(self, faults: tuple[ArgumentFault, ...]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.detail}" for fault in faults))
        self.faults = faults


class ResultNotSerializableError(PenstockError):
    """A function's result cannot be written as JSON; the text says where and why."""

    code = "result_not_serializable"


class ResultTooLargeError(PenstockError):
    """What a generator has yielded is longer than a result may be."""

    code = "result_too_large"


class OutOfTimeError(PenstockError):
    """A function's time is up, and nobody kills the process that it runs in."""

    code = "timeout"


class CallbackAddressError(PenstockError):
    """A callback address is malformed, unresolvable or not allowed."""

    code = "callback_url_invalid"


class ProcessError(PenstockError):
    """A child process could not be started or has vanished."""

    code = "process_failed"


class ChannelClosedError(ProcessError):
    """A channel is of no more use."""

    code = "channel_closed"


class ChannelResetError(ChannelClosedError):
    """The other end went without having read all that was sent to it."""

    code = "channel_reset"


class ChannelGarbledError(ChannelClosedError):
    """The other end lives, but what it sends is no frame or says nothing we know."""

    code = "channel_garbled"
