"""Start child processes by way of a fork server.

A worker has threads and connections, so it must not fork itself. `ForkServer` starts a
single-threaded interpreter that preloads modules and forks children on request. Children get only
the environment that the server was given. If the server dies or stops responding (function code
can send it signals), the next spawn starts a new one.

    worker ── control socket: spawn requests ──────────▶ fork server
    worker ── lifeline, one per child: kill, exit ─────▶ fork server
    worker ── channel, one per child: frames ──────────▶ child

If the worker is killed, the control socket closes: the server kills all children, removes their
folders and exits. If the server is killed, the kernel kills its children (Linux), the lifelines
close, and `Child.wait` reports SIGKILL. Processes that left their child's process group then
survive: only a live server finds and kills those.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

from runtime.errors import ProcessError
from runtime.processes import child_control, import_hook, private_folder
from runtime.processes.channel import Channel
from runtime.processes.child_control import Exit

# Not `-m` with PYTHONPATH: children would inherit the variable. `-P` is passed as well, so that
# a file in the working folder cannot shadow a module.
_BOOT = f"{import_hook.BOOT}from runtime.processes.fork_server_main import main; main()"
_MOST_SERVERS_TRIED = 3
_FIRST_SPAWN_LIMIT_S = 30.0  # includes the server's preloading
_SPAWN_LIMIT_S = 5.0
_KILL_LIMIT_S = 1.0
_STOP_LIMIT_S = 5.0
_KILLED = Exit(None, 9)


class Child:
    """A child process that runs function code. Closing it kills the process if it still runs."""

    def __init__(self, pid: int, channel: Channel, line: socket.socket, folder: Path) -> None:
        self.pid = pid
        self._folder = folder
        self.channel = channel
        self._line = line  # our end of the lifeline
        self._exit: Exit | None = None
        self._waiting = threading.Lock()  # the exit message comes once: one thread reads it
        self._last_resort: threading.Timer | None = None
        self.is_closed = False

    def kill(self) -> None:
        """Kill the child and its process group; safe from any thread, at any time."""
        with contextlib.suppress(OSError):  # the server has closed its end: the child has ended
            self._line.send(child_control.KILL)
            # The server normally kills at once. Function code may have stopped it, though.
            if self._last_resort is None:
                self._last_resort = timer = threading.Timer(_KILL_LIMIT_S, self._kill_directly)
                timer.daemon = True
                timer.start()

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the child has ended."""
        return self._line.fileno()

    def wait(self, timeout_s: float) -> Exit | None:
        """Return how the child ended, None if it still runs after `timeout_s`."""
        with self._waiting:
            if self._exit is None:
                self._exit = self._receive(timeout_s)
            if self._exit is not None:
                self._rest()
            return self._exit

    def close(self) -> None:
        """Kill the child if it still runs, and close the descriptors; safe to call twice."""
        self.is_closed = True
        self._rest()
        self.channel.close()
        self._line.close()  # the server kills the child when it sees the lifeline close
        private_folder.remove(self._folder)

    def _kill_directly(self) -> None:
        """Kill the child without the server, if the server has not reported its exit.

        The server reports an exit as soon as it has reaped the child. While there is no report,
        the child has not been reaped, so no other process can have its pid.
        """
        try:
            self._line.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
        except BlockingIOError:
            child_control.kill_group(self.pid)
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)  # ends a `wait` in another thread
        except OSError:  # the child has been closed
            pass

    def _rest(self) -> None:
        if self._last_resort is not None:
            self._last_resort.cancel()

    def _receive(self, timeout_s: float) -> Exit | None:
        try:
            if timeout_s <= 0:
                word = self._line.recv(child_control.WORD.size, socket.MSG_DONTWAIT)
            else:
                self._line.settimeout(timeout_s)
                word = self._line.recv(child_control.WORD.size)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError:
            word = b""
        # No message: the server died and took the child along, or `_kill_directly` killed it.
        if len(word) < child_control.WORD.size:
            return _KILLED
        _, code, number = child_control.WORD.unpack(word)
        return Exit(None, number) if number else Exit(code, None)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ForkServer:
    """Starts a fork server when needed, and spawns children with it; safe from any thread.

    Args:
        preload: Modules that the server imports once, before any fork.
        environment: The whole environment of children; see `environment.clean_environment`.
        program: The interpreter: our own, or that of an environment with a function's packages.
            The other one reads no packages of the user's own folder.
        wished: Modules that an author wants imported before any fork. If one cannot be imported,
            hangs or starts a thread, none is, and the server's standard error says so.
    """

    def __init__(
        self,
        *,
        preload: Sequence[str],
        environment: Mapping[str, str],
        program: str = "",
        wished: Sequence[str] = (),
    ) -> None:
        self._preload, self._wished = tuple(preload), tuple(wished)
        self._environment = dict(environment)
        self._command = [program, "-P", "-s"] if program else [sys.executable, "-P"]
        self._lock = threading.Lock()  # guards the fields below; not held while a spawn waits
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._has_answered = False  # whether this server has forked before: preloading is done
        self._stopped = False
        self._place = Path()  # the folder in which each child of this server gets its own
        self._alive: weakref.WeakSet[Child] = weakref.WeakSet()

    @property
    def pid(self) -> int | None:
        """The server's pid, None while no server runs."""
        process = self._process
        return None if process is None else process.pid

    @property
    def children(self) -> int:
        """How many children have not been closed."""
        with self._lock:
            return sum(not child.is_closed for child in self._alive)

    def start(self) -> None:
        """Start the server unless it runs; return before it has preloaded its modules."""
        with self._lock:
            self._ensure_running()

    def spawn(self, entry: str, *, memory_bytes: int | None = None) -> Child:
        """Fork a child that calls `entry` ("package.module:function") with its channel.

        Raises:
            ProcessError: No child could be started, or `stop` was called.
        """
        for _ in range(_MOST_SERVERS_TRIED):
            child = self._try_spawn(entry, memory_bytes)
            if child is not None:
                return child
        raise ProcessError(f"the fork server exited or hung before it forked a child ({entry})")

    def stop(self) -> None:
        """Kill all children and stop the server; safe to call twice."""
        with self._lock:
            self._stopped = True
            self._discard()

    def _try_spawn(self, entry: str, memory_bytes: int | None) -> Child | None:
        """Return a child; discard the server and return None if it is dead or does not answer."""
        channel, channel_end = socket.socketpair()
        line, line_end = socket.socketpair()
        pid: int | None = None
        try:
            # Close our copies of the other ends: if the server dies, `_receive_pid` must see that.
            with channel_end, line_end:
                server = self._ask(entry, memory_bytes, (channel_end.fileno(), line_end.fileno()))
            limit_s = _SPAWN_LIMIT_S if self._has_answered else _FIRST_SPAWN_LIMIT_S
            try:
                pid = _receive_pid(line, limit_s)
            except TimeoutError:
                server.kill()  # it hangs or is stopped, possibly for good
            with self._lock:
                if self._process is server:  # else another thread has already replaced it
                    if pid is None and not self._has_answered and self._wished:
                        sys.stderr.write(f"{', '.join(self._wished)}: not preloaded: it hangs\n")
                        self._wished = ()
                    self._has_answered = pid is not None
                    if pid is None:
                        self._discard()
        finally:
            if pid is None:
                channel.close()
                line.close()
        if pid is None:
            return None
        child = Child(pid, Channel(channel), line, self._place / f"{pid}")
        with self._lock:
            self._alive.add(child)
        return child

    def _ask(
        self, entry: str, memory_bytes: int | None, descriptors: tuple[int, int]
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            server, control = self._ensure_running()
            request = {"entry": entry, "memory_bytes": memory_bytes, "server_pid": server.pid}
            # If the server is dead, the descriptors go nowhere and `_receive_pid` sees it.
            with contextlib.suppress(OSError):
                socket.send_fds(control, [json.dumps(request).encode()], descriptors)
            return server

    def _ensure_running(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        if self._stopped:
            raise ProcessError("the fork server is stopped")
        if self._process is not None and self._process.poll() is not None:
            self._discard()
        if self._process is None or self._control is None:
            self._process, self._control = self._launch()
            self._has_answered = False
        return self._process, self._control

    def _launch(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        self._place = private_folder.make_folder()
        ours, theirs = socket.socketpair()
        wished = ("--", *self._wished) if self._wished else ()
        arguments = [f"{theirs.fileno()}", str(self._place), *self._preload, *wished]
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [*self._command, "-c", _BOOT, *arguments],
                env=self._environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        return process, ours

    def _discard(self) -> None:
        """End the server; without it, its children are killed too."""
        control, self._control = self._control, None
        process, self._process = self._process, None
        if control is not None:
            control.close()  # the server then kills its children and exits
        if process is not None:
            process.send_signal(signal.SIGCONT)  # a stopped server could not exit
            try:
                process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            private_folder.remove(self._place)


def _receive_pid(line: socket.socket, limit_s: float) -> int | None:
    """Wait for the answer to a spawn request; return None if the server dies first."""
    line.settimeout(limit_s)
    try:
        word = line.recv(child_control.WORD.size)
    except TimeoutError:
        raise
    except OSError:
        word = b""
    if len(word) < child_control.WORD.size:
        return None
    kind, first, _ = child_control.WORD.unpack(word)
    if kind == child_control.REFUSED:
        raise ProcessError(f"the system could not create a process: {os.strerror(first)}")
    line.settimeout(None)
    return int(first)
