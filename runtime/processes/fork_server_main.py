"""The fork server process: one thread with a poll loop; it runs no function code.

`runtime.processes.fork_server` runs `main` in a new interpreter. The server forks children on
request, reaps them, reports their exits on their lifelines and kills them. It exits when its
control socket closes, however the worker ended, and kills all children first.
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
import threading
import time
from pathlib import Path

from runtime.processes import child_control, child_limits, private_folder
from runtime.processes.child import run_child
from runtime.processes.environment import hide_from_own_user

_REQUEST_BYTES = 65_536
_END_LIMIT_S = 3.0
_THREAD_LIMIT_S = 0.2
_READY = select.POLLIN | select.POLLHUP | select.POLLERR


class _Server:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lines: dict[int, int] = {}  # lifeline descriptor -> pid
        self._children: dict[int, int] = {}  # pid, not yet reaped -> lifeline, -1 if it is closed
        self._poll = select.poll()
        # Python writes a byte to this pipe for each signal. If it is full, that byte is not needed.
        self._wake, wake_end = os.pipe()
        for descriptor in (self._wake, wake_end):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler no byte is written
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
                elif descriptor in self._lines:  # else closed by an earlier event of this round
                    self._receive(descriptor)

    def _answer(self) -> bool:
        """Read one request and fork a child; return False if the control socket is closed."""
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
            # This is the child. `keep_only` closes all descriptors by number; if this object were
            # collected later, it would close whatever has its number by then.
            self._control.detach()
            run_child(  # never returns
                request["entry"],
                channel_descriptor=channel,
                memory_bytes=request["memory_bytes"],
                server_pid=request["server_pid"],
            )
        os.close(channel)  # the child holds the only copy: its exit closes the owner's channel
        os.set_blocking(line, False)  # no owner may block the server
        self._lines[line] = pid
        self._children[pid] = line
        self._poll.register(line, _READY)
        # If the server is killed before this line, the owner sees the lifeline close and spawns
        # another child with a new server; this child, which has no owner, dies with this server.
        # A child that has already exited is reaped in a later round, so STARTED comes first.
        _say(line, child_control.started(pid))
        return True

    def _receive(self, line: int) -> None:
        """Kill the child: its owner has sent KILL or closed the lifeline."""
        try:
            word = os.read(line, 1)
        except BlockingIOError:  # the event was for an earlier lifeline with this number
            return
        except OSError:
            word = b""
        pid = self._lines[line]
        child_control.kill_group(pid)  # still its pid: reaping would have removed the lifeline
        if not word:
            self._drop(line)
            self._children[pid] = -1

    def _drop(self, line: int) -> None:
        self._poll.unregister(line)
        del self._lines[line]
        os.close(line)

    def _reap(self) -> None:
        """Reap all dead children and report their exits; kill what they have left behind."""
        # Empty the pipe first: a child that dies from here on writes to it again.
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
            # An orphan that this server adopted: it left its child's group and outlived the child.
            if pid not in self._children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        """Kill all children and their orphans; give up after 3 seconds."""
        for pid in self._children:
            child_control.kill_group(pid)
        deadline = time.monotonic() + _END_LIMIT_S
        while self._children or _own_children():
            select.select([self._wake], [], [], max(0.0, deadline - time.monotonic()))
            self._reap()  # also kills the orphans adopted as their parents die
            if time.monotonic() > deadline:
                return


def _next_dead() -> tuple[int, child_control.Exit] | None:
    """Kill the process group of one dead child, then reap it; return None if none is dead."""
    try:
        if hasattr(os, "waitid"):
            # WNOWAIT: find a dead child without reaping it. Until it is reaped, no other process
            # or group can get its number, so killing the group is safe.
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
    """Return the pids of all children, adopted orphans included (Linux; elsewhere none)."""
    try:
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in listed.split()]


def _import_for(entry: str) -> None:
    """Import the entry's module before the fork, so that later children share it."""
    module, _, _ = entry.partition(":")
    if module not in sys.modules:
        with contextlib.suppress(Exception):  # the child's own import fails too and shows why
            importlib.import_module(module)
            gc.freeze()


def _say(line: int, word: bytes) -> None:
    with contextlib.suppress(OSError):  # the owner has closed its end
        os.write(line, word)


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return what stands before and behind the first `--`."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _import_wished(modules: list[str]) -> None:
    """Import what an author wants to have preloaded; without it, start this process again.

    A module may fail, or start a thread, which no fork would have: nothing undoes an import.
    """
    for module in modules:
        try:
            importlib.import_module(module)
            fault = "" if _has_one_thread() else "it starts a thread"
        except BaseException as error:  # noqa: BLE001 - a module may raise anything
            fault = f"{type(error).__name__}: {error}"
        if fault:
            sys.stderr.write(f"{module} is not preloaded: {fault}\n")
            sys.stderr.flush()
            words = sys.orig_argv[: sys.orig_argv.index("--")]
            os.execv(sys.executable, words)  # noqa: S606 - this very program


def _has_one_thread() -> bool:
    """Whether this process has one thread, at the latest when it forks.

    Some libraries start threads of their own as they are imported, end them before a fork and start
    them again when there is work, in the child, too: OpenBLAS does, which numpy and so pandas load.
    """
    if len(_own_threads()) == 1:
        return True
    if threading.active_count() > 1:  # of Python: nothing ends it
        return False
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    until = time.monotonic() + _THREAD_LIMIT_S
    while len(_own_threads()) > 1 and time.monotonic() < until:
        time.sleep(0.001)  # the system lists a thread for a moment after its end
    return len(_own_threads()) == 1


def _own_threads() -> list[str]:
    try:
        return os.listdir("/proc/self/task")  # noqa: PTH208 - names are enough
    except OSError:
        return [""]


def main() -> None:
    """Preload modules, then serve.

    `ForkServer` passes the control socket's descriptor, the folder for the children's folders, and
    the names of the modules.
    """
    control = socket.socket(fileno=int(sys.argv[1]))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the worker stops the server, by closing the socket
    child_limits.adopt_orphans()
    child_limits.offer_to_the_kernel()  # not possible after the next line
    hide_from_own_user()  # children inherit it: no function can read another function's runner
    place = Path(sys.argv[2])
    private_folder.use_folder(place)
    ours, wished = _split(sys.argv[3:])
    for module in ours:
        importlib.import_module(module)
    _import_wished(wished)
    os.set_inheritable(control.fileno(), False)  # noqa: FBT003 - takes no keyword
    # Frozen objects are not touched by the collector, so children go on sharing their pages.
    gc.collect()
    gc.freeze()
    _Server(control).serve()
    private_folder.remove(place)  # a worker that was killed cannot
    os._exit(0)
