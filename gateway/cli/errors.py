"""How commands fail: the error they raise, their exit codes, and problems as text.

`main` turns errors into exit codes, which are API. `describe_problem` turns a problem answer of
the gateway into one sentence with the wrong arguments and a next step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from runtime.errors import ArgumentsError, PenstockError, SettingsError, StoreError


class ExitCode(IntEnum):
    """The exit codes of `penstock`."""

    OK = 0
    FAILED = 1  # the function failed, or the command did
    USAGE = 2  # wrong flag, argument or setting
    UNREACHABLE = 3  # no running system answers at the address
    REFUSED = 4  # the system answered with a problem: unknown name, invalid arguments
    CANNOT_START = 5  # `up`: port taken, folder not writable, no usable Redis, already running
    INTERRUPTED = 130  # Ctrl-C; invocations that were sent go on


class CommandError(PenstockError):
    """A command cannot continue; the message says what to do about it."""

    code = "command_failed"

    def __init__(self, message: str, *, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UsageError(CommandError):
    """A flag, an argument or a setting is wrong."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=ExitCode.USAGE)


class CannotStartError(CommandError):
    """`up` cannot start."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=ExitCode.CANNOT_START)


def exit_code_of(error: PenstockError) -> ExitCode:
    """Return the exit code for an error that ended a command."""
    if isinstance(error, CommandError):
        return error.exit_code
    if isinstance(error, SettingsError):
        return ExitCode.USAGE
    if isinstance(error, StoreError):
        return ExitCode.CANNOT_START
    return ExitCode.FAILED


_NEXT_STEPS = {
    "function_not_found": "`penstock ls` lists all functions",
    "function_unavailable": "`penstock ls` shows why",
    "invocation_not_found": "`penstock invocations` lists all invocations",
    "invocation_finished": "`penstock retry` invokes again with the same arguments",
    "invocation_unfinished": "`penstock logs -f` follows it until it finishes",
    "invocation_gone": "the function's result_ttl says how long results are kept",
    "delivery_not_found": "`penstock deliveries` lists all deliveries",
    "worker_not_found": "`penstock status` lists all workers",
    "queue_not_found": "`penstock queues` lists all queues",
    "unauthenticated": "set PENSTOCK_KEY to a valid API key",
    "forbidden": "set PENSTOCK_KEY to an API key with the scope that this needs",
    "key_not_found": "`penstock keys` lists all keys",
    "queue_full": "`penstock queues` shows how many wait; try again later",
    "idempotency_key_reused": "choose another key, or repeat the request it was first used for",
}


def describe_problem(status: int, body: bytes) -> str:
    """Return a problem as one sentence, with each invalid argument and what to do next."""
    try:
        problem = json.loads(body)
        errors = problem.get("errors", [])
        said = problem.get("title") if errors else problem.get("detail") or problem.get("title")
        faults = [f"\n  {one.get('pointer') or '/'}: {one['detail']}" for one in errors]
        code = problem.get("code", status)
    except (ValueError, AttributeError, KeyError, TypeError):
        return f"the system answered with HTTP status {status}"
    step = _NEXT_STEPS.get(code)
    return f"{said} ({code})" + (f"; {step}" if step else "") + "".join(faults)


def describe_faults(error: ArgumentsError) -> str:
    """Return wrong arguments as the problem that a gateway would answer with, as text."""
    faults = [f"\n  {fault.pointer or '/'}: {fault.detail}" for fault in error.faults]
    return f"Invalid arguments ({error.code})" + "".join(faults)


def describe_failure(error: Mapping[str, Any]) -> str:
    """Return the error of an invocation or of an attempt as text."""
    return f"{error.get('exception_type') or error.get('type')}: {error.get('message')}"
