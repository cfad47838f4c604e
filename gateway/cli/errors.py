"""The exit codes of every command; they are API."""

from __future__ import annotations

import json
from enum import IntEnum

from runtime.errors import PenstockError, SettingsError, StoreError


class ExitCode(IntEnum):
    """What `penstock` exits with."""

    OK = 0
    FAILED = 1  # the function, or what the command was to do, failed
    USAGE = 2  # wrong flag, argument or setting
    UNREACHABLE = 3  # no running system answers at the address
    REFUSED = 4  # the system answered with a problem: unknown name, wrong arguments
    CANNOT_START = 5  # `up`: port taken, folder not writable, no usable Redis, already running
    INTERRUPTED = 130  # Ctrl-C; what was called goes on


class CommandError(PenstockError):
    """A command cannot go on; the text says what to do about it."""

    code = "command_failed"

    def __init__(self, message: str, *, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def exit_code_of(error: PenstockError) -> ExitCode:
    """Return what to exit with when this error ended the command."""
    if isinstance(error, CommandError):
        return error.exit_code
    if isinstance(error, SettingsError):
        return ExitCode.USAGE
    if isinstance(error, StoreError):
        return ExitCode.CANNOT_START
    return ExitCode.FAILED


_NEXT_STEPS = {
    "function_not_found": "`penstock ls` lists those there are",
    "function_unavailable": "`penstock ls` shows why",
    "invocation_not_found": "`penstock invocations` lists those there are",
    "invocation_finished": "`penstock retry` makes it again",
    "invocation_unfinished": "`penstock logs -f` follows it to its end",
    "invocation_gone": "results are kept as long as the function's result_ttl says",
    "delivery_not_found": "`penstock deliveries` lists those there are",
    "worker_not_found": "`penstock status` lists those there are",
    "queue_not_found": "`penstock queues` lists those there are",
    "unauthenticated": "PENSTOCK_KEY names the key that commands show",
    "forbidden": "PENSTOCK_KEY names the key that commands show",
    "key_not_found": "`penstock keys` lists those there are",
    "queue_full": "`penstock queues` shows how full; come again later",
    "idempotency_key_reused": "choose another key, or send what was sent with it before",
}


def describe_problem(status: int, body: bytes) -> str:
    """Return a problem in a sentence, with every wrong argument and what to do next."""
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
