"""Every error that Penstock raises on purpose; each class has a stable `code`.

    PenstockError
    ├── SettingsError               a setting, flag or environment variable is wrong
    ├── StoreError
    │   ├── StoreUnavailableError   Redis is down, loading, or does not reply in time
    │   ├── StoreRefusedError       Redis replies but refuses to write (out of memory, disk full)
    │   └── StoreTooOldError        Redis is older than 6.2
    ├── OptionError                 an option of @function is wrong
    ├── LoadError                   a function file cannot be loaded; has file and line
    ├── UnknownFunctionError        no function has this name
    ├── FunctionUnavailableError    the function exists, but no version of it has ever loaded
    ├── UnknownInvocationError      no invocation has this id
    ├── InvocationGoneError         the invocation existed, but its record is no longer kept
    ├── ArgumentsError              arguments do not fit the schema; has a JSON pointer to each
    ├── ResultNotSerializableError  a result cannot be written as JSON; says where
    ├── ResultTooLargeError         a generator's items together exceed the maximum result size
    ├── OutOfTimeError              a function's time limit has passed inside a shared process
    ├── CallbackAddressError        a callback URL is invalid or not allowed
    └── ProcessError                a child process could not be started, or is gone
        └── ChannelClosedError      the channel to another process can no longer be used
            ├── ChannelResetError   the peer closed before it had read all that was sent to it
            └── ChannelGarbledError the peer sent something that is not a known frame

Only `gateway.problems` maps codes to HTTP statuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class PenstockError(Exception):
    """The root of the tree; `code` is part of the API, the message is not."""

    code: ClassVar[str] = "internal_error"


class SettingsError(PenstockError):
    """A setting is wrong; the message names it and says what it takes."""

    code = "settings_invalid"


class StoreError(PenstockError):
    """The parent of all errors about Redis."""

    code = "store_error"


class StoreUnavailableError(StoreError):
    """Redis cannot be reached or does not reply in time."""

    code = "store_unavailable"


class StoreRefusedError(StoreError):
    """Redis replies, but refuses writes (OOM, MISCONF, READONLY)."""

    code = "store_refused"


class StoreTooOldError(StoreError):
    """Redis is too old for the commands that Penstock uses."""

    code = "store_too_old"


class OptionError(PenstockError):
    """An option of @function is wrong; the message says what is allowed."""

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
    """No published function has this name."""

    code = "function_not_found"


class FunctionUnavailableError(PenstockError):
    """No version of the function has ever loaded; GET /functions/{name} has the load error."""

    code = "function_unavailable"


class UnknownInvocationError(PenstockError):
    """No invocation has this id."""

    code = "invocation_not_found"


class InvocationGoneError(PenstockError):
    """The invocation's retention has passed, and its record was deleted."""

    code = "invocation_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentFault:
    """One invalid argument: a JSON pointer into the body, and what is wrong there."""

    pointer: str
    detail: str


class ArgumentsError(PenstockError):
    """Arguments do not fit the function's schema."""

    code = "arguments_invalid"

    def __init__(self, faults: tuple[ArgumentFault, ...]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.detail}" for fault in faults))
        self.faults = faults


class ResultNotSerializableError(PenstockError):
    """A function's result cannot be written as JSON; the message says where and why."""

    code = "result_not_serializable"


class ResultTooLargeError(PenstockError):
    """The items of a generator together exceed the maximum size of a result."""

    code = "result_too_large"


class OutOfTimeError(PenstockError):
    """A function's time limit has passed, in a process that other attempts share."""

    code = "timeout"


class CallbackAddressError(PenstockError):
    """A callback URL is malformed, does not resolve or is not allowed."""

    code = "callback_url_invalid"


class ProcessError(PenstockError):
    """A child process could not be started, or is gone."""

    code = "process_failed"


class ChannelClosedError(ProcessError):
    """A channel can no longer be used."""

    code = "channel_closed"


class ChannelResetError(ChannelClosedError):
    """The peer closed the channel before it had read all that was sent to it."""

    code = "channel_reset"


class ChannelGarbledError(ChannelClosedError):
    """The peer is alive, but sent something that is not a known frame."""

    code = "channel_garbled"
