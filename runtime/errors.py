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

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


class PenstockError(Exception):
    """The root of the tree; `code` is part of the API, the message is not."""

    code: ClassVar[str] = "internal_error"

    def __init_subclass__(cls, *, code: str = "") -> None:
        super().__init_subclass__()
        cls.code = code or cls.code


class SettingsError(PenstockError, code="settings_invalid"):
    """A setting is wrong; the message names it and says what it takes."""


class StoreError(PenstockError, code="store_error"):
    """The parent of all errors about Redis."""


class StoreUnavailableError(StoreError, code="store_unavailable"):
    """Redis cannot be reached or does not reply in time."""


class StoreRefusedError(StoreError, code="store_refused"):
    """Redis replies, but refuses writes (OOM, MISCONF, READONLY)."""


class StoreTooOldError(StoreError, code="store_too_old"):
    """Redis is too old for the commands that Penstock uses."""


class OptionError(PenstockError, code="option_invalid"):
    """An option of @function is wrong; the message says what is allowed."""


class LoadError(PenstockError, code="function_load_failed"):
    """A function file could not be loaded."""

    def __init__(self, kind: str, message: str, *, file: str, line: int | None) -> None:
        super().__init__(f"{file}:{line or 0}: {kind}: {message}")
        self.kind = kind
        self.message = message
        self.file = file
        self.line = line


class UnknownFunctionError(PenstockError, code="function_not_found"):
    """No published function has this name."""


class FunctionUnavailableError(PenstockError, code="function_unavailable"):
    """No version of the function has ever loaded; GET /functions/{name} has the load error."""


class UnknownInvocationError(PenstockError, code="invocation_not_found"):
    """No invocation has this id."""


class InvocationGoneError(PenstockError, code="invocation_gone"):
    """The invocation's retention has passed, and its record was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentFault:
    """One invalid argument: a JSON pointer into the body, and what is wrong there."""

    pointer: str
    detail: str


def pointer_to(path: Iterable[str | int]) -> str:
    """Return the JSON pointer for a path of names and indexes."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


class ArgumentsError(PenstockError, code="arguments_invalid"):
    """Arguments do not fit the function's schema."""

    def __init__(self, faults: tuple[ArgumentFault, ...]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.detail}" for fault in faults))
        self.faults = faults


class ResultNotSerializableError(PenstockError, code="result_not_serializable"):
    """A function's result cannot be written as JSON; the message says where and why."""


class ResultTooLargeError(PenstockError, code="result_too_large"):
    """The items of a generator together exceed the maximum size of a result."""


class OutOfTimeError(PenstockError, code="timeout"):
    """A function's time limit has passed, in a process that other attempts share."""


class CallbackAddressError(PenstockError, code="callback_url_invalid"):
    """A callback URL is malformed, does not resolve or is not allowed."""


class ProcessError(PenstockError, code="process_failed"):
    """A child process could not be started, or is gone."""


class ChannelClosedError(ProcessError, code="channel_closed"):
    """A channel can no longer be used."""


class ChannelResetError(ChannelClosedError, code="channel_reset"):
    """The peer closed the channel before it had read all that was sent to it."""


class ChannelGarbledError(ChannelClosedError, code="channel_garbled"):
    """The peer is alive, but sent something that is not a known frame."""
