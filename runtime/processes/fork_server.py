"""Children without forking ourselves: a warmed, single-threaded process forks for us.

A worker has threads and connections, so it must not fork. `ForkServer` starts a
fresh interpreter that preloads what children need, then forks on request; its
environment is all that children see. If it dies or falls silent (what it forks can
stop it), the next spawn starts another.
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
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from runtime.errors import ProcessError
from runtime.processes import child_control, private_folder
from runtime.processes.channel import Channel
from runtime.processes.child_control import Exit

_ROOT = str(Path(__file__).resolve().parents[2])
# Not `-m` with PYTHONPATH: what we set there, children would see. `-P`: the current folder
# must not shadow a module.
_BOOT = (
    f"import sys; sys.path.insert(0, {_ROOT!r}); "
    "from runtime.processes.fork_server_main import main; main()"
)
_MOST_SERVERS_TRIED = 3
_FIRST_SPAWN_LIMIT_S = 30.0  # its preloading included
_SPAWN_LIMIT_S = 5.0
_KILL_LIMIT_S = 1.0
_STOP_LIMIT_S = 5.0
_KILLED = Exit(None, 9)


class Child:
    """A process of ours that runs code of others. Closing it kills what is left of it."""

    def __init__(self, pid: int, channel: Channel, line: socket.socket, folder: Path) -> None:
        self.pid = pid
        self._folder = folder
        self.channel = channel
        self._line = line
        self._exit: Exit | None = None
        self._waiting = threading.Lock()
        self._last_resort: threading.Timer | None = None

    def kill(self) -> None:
        """Kill the child and its process group; from any thread, at any time."""
        with contextlib.suppress(OSError):  # it is gone already
            self._line.send(child_control.KILL)
            if self._last_resort is None:
                self._last_resort = timer = threading.Timer(_KILL_LIMIT_S, self._kill_directly)
                timer.daemon = True
                timer.start()

    def fileno(self) -> int:
        """Return the descriptor that can be read when the child has ended."""
        return self._line.fileno()

    def wait(self, timeout_s: float) -> Exit | None:
        """Return how the child ended, None if it has not within `timeout_s`."""
        with self._waiting:
            if self._exit is None:
                self._exit = self._receive(timeout_s)
            if self._exit is not None:
                self._rest()
            return self._exit

    def close(self) -> None:
        """Kill what is left and give up the descriptors; twice is safe."""
        self._rest()
        self.channel.close()
        self._line.close()
        private_folder.remove(self._folder)

    def _kill_directly(self) -> None:
        """Kill it ourselves: its number is its own while the server says nothing."""
        try:
            self._line.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
        except BlockingIOError:
            child_control.kill_group(self.pid)
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)  # who waits for its end need not
        except OSError:  # closed: whoever closed it has given it up
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
        if (
            len(word) < child_control.WORD.size
        ):  # the server died and its children with it, or we killed
            return _KILLED
        _, first, second = child_control.WORD.unpack(word)
        return child_control.exit_of(first, second)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class ForkServer:
    """A source of children.

    Args:
        preload: Modules imported once, before any fork.
        environment: All that children see; see `environment.clean_environment`.
    """

    def __init__(self, *, preload: Sequence[str], environment: Mapping[str, str]) -> None:
        self._preload = tuple(preload)
        self._environment = dict(environment)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._has_answered = False
        self._stopped = False
        self._place = Path()  # for the folders of its children

    @property
    def pid(self) -> int | None:
        """The server's process, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def start(self) -> None:
        """Start the process unless it runs; its preloading goes on meanwhile."""
        with self._lock:
            self._ensure_running()

    def spawn(self, entry: str, *, memory_bytes: int | None = None) -> Child:
        """Fork a child that calls `entry` ("package.module:function") with its channel.

        Raises:
            ProcessError: No child could be made, or the server was stopped.
        """
        for _ in range(_MOST_SERVERS_TRIED):
            child = self._try_spawn(entry, memory_bytes)
            if child is not None:
                return child
        raise ProcessError(f"the fork server ends before it forks ({entry})")

    def stop(self) -> None:
        """Kill every child that is left and end; twice is safe."""
        with self._lock:
            self._stopped = True
            self._discard()

    def _try_spawn(self, entry: str, memory_bytes: int | None) -> Child | None:
        """Return None when the server turns out to be dead or silent; it is then forgotten."""
        channel, channel_end = socket.socketpair()
        line, line_end = socket.socketpair()
        pid: int | None = None
        try:
            with channel_end, line_end:
                server = self._ask(entry, memory_bytes, (channel_end.fileno(), line_end.fileno()))
            limit_s = _SPAWN_LIMIT_S if self._has_answered else _FIRST_SPAWN_LIMIT_S
            try:
                pid = _receive_pid(line, limit_s)
            except TimeoutError:
                server.kill()  # stopped for good, for all we know
            with self._lock:
                if self._process is server:
                    self._has_answered = pid is not None
                    if pid is None:
                        self._discard()
        finally:
            if pid is None:
                channel.close()
                line.close()
        if pid is None:
            return None
        return Child(pid, Channel(channel), line, self._place / f"{pid}")

    def _ask(
        self, entry: str, memory_bytes: int | None, descriptors: tuple[int, int]
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            server, control = self._ensure_running()
            request = {"entry": entry, "memory_bytes": memory_bytes, "server_pid": server.pid}
            with contextlib.suppress(OSError):  # then its end of the lifeline closes
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
        arguments = [f"{theirs.fileno()}", str(self._place), *self._preload]
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-c", _BOOT, *arguments],
                env=self._environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        return process, ours

    def _discard(self) -> None:
        control, self._control = self._control, None
        process, self._process = self._process, None
        if control is not None:
            control.close()
        if process is not None:
            process.send_signal(signal.SIGCONT)  # if it is stopped, it cannot end by itself
            try:
                process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            private_folder.remove(self._place)


def _receive_pid(line: socket.socket, limit_s: float) -> int | None:
    """Wait for the answer to a spawn; None when the server dies before it."""
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
        raise ProcessError(f"the system refuses another process: {os.strerror(first)}")
    line.settimeout(None)
    return int(first)
