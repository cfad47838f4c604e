"""The fork server's own process: one thread, a loop over sockets, nothing of others.

`runtime.processes.fork_server` calls `main` in a fresh interpreter. It forks on
request, reaps, reports and kills. It ends when its control socket closes, which
happens however the worker ends, and then takes every child with it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

from runtime.processes import child_control, child_limits, private_folder
from runtime.processes.child import run_child
from runtime.processes.environment import hide_from_own_user

_REQUEST_BYTES = 65_536
_END_LIMIT_S = 3.0
_READY = select.POLLIN | select.POLLHUP | select.POLLERR


class _Server:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lines: dict[int, int] = {}  # lifeline descriptor -> pid
        self._children: dict[int, int] = {}  # pid, not yet reaped -> lifeline descriptor or -1
        self._poll = select.poll()
        self._wake, wake_end = os.pipe()
        for descriptor in (self._wake, wake_end):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._poll.register(control.fileno(), _READY)
        self._poll.register(self._wake, _READY)

    def serve(self) -> None:
        """Serve until the control socket closes."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._wake:
                    self._reap()
                elif descriptor == self._control.fileno():
                    if not self._answer():
                        self._end_all()
                        return
                elif descriptor in self._lines:
                    self._receive(descriptor)

    def _answer(self) -> bool:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, _REQUEST_BYTES, 2)
        except OSError:
            return False
        if not data:
            return False
        channel, line = descriptors
        request = json.loads(data)
        _import_for(request["entry"])
        try:
            pid = os.fork()
        except OSError as error:
            _say(line, child_control.refused(error.errno or 0))
            os.close(channel)
            os.close(line)
            return True
        if pid == 0:
            self._control.detach()  # or its collection would close a stranger's descriptor
            run_child(
                request["entry"],
                channel_descriptor=channel,
                memory_bytes=request["memory_bytes"],
                server_pid=request["server_pid"],
            )
        os.close(channel)
        os.set_blocking(line, False)
        self._lines[line] = pid
        self._children[pid] = line
        self._poll.register(line, _READY)
        _say(line, child_control.started(pid))
        return True

    def _receive(self, line: int) -> None:
        try:
            word = os.read(line, 1)
        except BlockingIOError:  # the number was used again since this event was queued
            return
        except OSError:
            word = b""
        pid = self._lines[line]
        child_control.kill_group(pid)
        if not word:
            self._drop(line)
            self._children[pid] = -1

    def _drop(self, line: int) -> None:
        self._poll.unregister(line)
        del self._lines[line]
        os.close(line)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake, 512):
                pass
        while (found := _next_dead()) is not None:
            pid, status = found
            line = self._children.pop(pid, -1)
            if line >= 0:
                _say(line, child_control.exited(status))
                self._drop(line)
        for pid in _own_children():
            if pid not in self._children:  # left its runner's group and outlived the runner
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        for pid in self._children:
            child_control.kill_group(pid)
        deadline = time.monotonic() + _END_LIMIT_S
        while self._children or _own_children():
            select.select([self._wake], [], [], max(0.0, deadline - time.monotonic()))
            self._reap()  # and kill those who become ours when their parents die
            if time.monotonic() > deadline:
                return


def _next_dead() -> tuple[int, child_control.Exit] | None:
    """Reap one dead child, its process group first: till then its number is nobody else's."""
    try:
        if hasattr(os, "waitid"):
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is None:
                return None
            with contextlib.suppress(OSError):
                os.killpg(found.si_pid, signal.SIGKILL)
            pid, status = os.waitpid(found.si_pid, 0)
        else:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return None
    except ChildProcessError:
        return None
    if os.WIFSIGNALED(status):
        return pid, child_control.Exit(None, os.WTERMSIG(status))
    return pid, child_control.Exit(os.WEXITSTATUS(status), None)


def _own_children() -> list[int]:
    try:
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in listed.split()]


def _import_for(entry: str) -> None:
    """Import what a child of a new kind begins with, so that the next ones find it."""
    module, _, _ = entry.partition(":")
    if module not in sys.modules:
        with contextlib.suppress(Exception):  # the child fails at it too, and tells
            importlib.import_module(module)
            gc.freeze()


def _say(line: int, word: bytes) -> None:
    with contextlib.suppress(OSError):
        os.write(line, word)


def main() -> None:
    """Preload what children need, then serve; arguments are made by `ForkServer`."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(control.fileno(), False)  # noqa: FBT003 - takes no keyword
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the worker decides; then the socket closes
    child_limits.adopt_orphans()
    child_limits.offer_to_the_kernel()
    hide_from_own_user()  # what it forks, too: one function must not look into another's runner
    place = Path(sys.argv[2])
    private_folder.use_folder(place)
    for module in sys.argv[3:]:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    _Server(control).serve()
    private_folder.remove(place)  # if the worker was killed, nobody else does
    os._exit(0)
