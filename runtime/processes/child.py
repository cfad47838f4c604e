"""A forked child's life: confine itself, call its entry, end without cleaning up.

Runs in the process that `runtime.processes.fork_server_main` has just forked.
Never returns and never raises into the server's loop.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
import traceback

from runtime.processes import child_limits
from runtime.processes.channel import Channel


def run_child(
    entry: str, *, channel_descriptor: int, memory_bytes: int | None, server_pid: int
) -> None:
    """Confine this process, call `entry` ("package.module:function") and exit."""
    code = 1
    try:
        child_limits.leave_session()
        child_limits.die_with_parent(server_pid)
        child_limits.restore_signals()
        moved = child_limits.keep_only(channel_descriptor)
        child_limits.limit_memory(memory_bytes)
        child_limits.shrink_thread_stacks()
        child_limits.limit_descriptors()
        module, _, function = entry.partition(":")
        getattr(importlib.import_module(module), function)(Channel(socket.socket(fileno=moved)))
        code = 0
    except SystemExit as request:
        code = request.code if isinstance(request.code, int) else int(request.code is not None)
    except BaseException:  # noqa: BLE001 - the outermost frame of a process
        traceback.print_exc()
    finally:
        _leave(code)


def _leave(code: int) -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code & 0xFF)
