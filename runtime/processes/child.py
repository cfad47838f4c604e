"""What a child process does after the fork: apply its limits, call its entry function, exit.

`runtime.processes.fork_server_main` calls `run_child` in the process it has just forked. The call
never returns and never raises: otherwise the child would continue in the server's loop.
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
    """Limit this process, call `entry` ("package.module:function") with the channel, and exit.

    A child that is killed at any of these lines leaves nothing behind: the server reaps it, and
    the owner sees the channel close and the exit on the lifeline.
    """
    code = 1
    try:
        # From here on the child's process group is its own, so the server can kill the group.
        os.setsid()
        # Must run in the child: a fork clears the parent-death signal.
        child_limits.die_with_parent(server_pid)
        # Before descriptors are closed: the server's wake-up descriptor is one of them.
        child_limits.restore_signals()
        # Closes the server's control socket and other children's sockets. A copy of them here
        # would keep them open after the server's death, which their owners wait to see.
        moved = child_limits.keep_only(channel_descriptor)
        # Before the entry is imported, so that imports count against the limit.
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
    # os._exit skips atexit handlers: those registered before the fork belong to the server.
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code & 0xFF)
