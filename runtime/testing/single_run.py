"""Run one function once, in a child process of its own, without a system; `penstock run` uses it.

The child has the environment variables that functions have, and no limits: no timeout, no memory
limit. It is not a runner: it has this process's terminal, and prints to its standard error.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import msgspec

from runtime.errors import ChannelClosedError, LoadError
from runtime.execution.outcome import Ending, ending_of_death
from runtime.execution.runner_protocol import DONE, RUN
from runtime.execution.worker_codec import decode_ending
from runtime.invocations.ids import new_invocation_id
from runtime.processes import import_hook
from runtime.processes.channel import Channel
from runtime.processes.child_control import Exit
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import FileError, Manifest
from runtime.testing.single_run_protocol import FAILED, MOST_BYTES

OnNote = Callable[[bytes, bytes], object]
_BOOT = f"{import_hook.BOOT}from runtime.testing.single_run_main import main; main()"
_END_LIMIT_S = 5.0
_decode = msgspec.json.Decoder(list[Manifest]).decode


class SingleRun:
    """A child process for one call; used as a context manager, which kills what still runs.

    Args:
        program: The interpreter of the function's environment; "" for our own.
        environment: The environment variables of the function.
    """

    def __init__(self, *, program: str = "", environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        command = [program, "-P", "-s"] if program else [sys.executable, "-P"]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [*command, "-c", _BOOT, f"{theirs.fileno()}", f"{os.getpid()}"],
                env=dict(environment),
                pass_fds=[theirs.fileno()],
            )
        self._channel = Channel(ours, max_frame_bytes=2 * MOST_BYTES)

    def load(self, bundle: Bundle) -> dict[str, Manifest]:
        """Load a bundle and return the manifests of its functions, by name.

        Raises:
            LoadError: It cannot be loaded.
        """
        try:
            self._channel.send(bundle.encode())
            kind, body = self._channel.receive()
        except ChannelClosedError as error:
            text = self._death(error, "while the file loaded").message
            raise LoadError("Exited", text, file=bundle.file, line=None) from None
        if kind == FAILED:
            fault = FileError(**json.loads(body))
            raise LoadError(fault.type, fault.message, file=fault.file, line=fault.line)
        return {each.name: each for each in _decode(body)}

    def call(
        self, name: str, arguments: bytes, request: bytes | None, on_note: OnNote
    ) -> tuple[Ending, bytes]:
        """Run a function that was loaded; return how it ended, and its result.

        Args:
            name: Its name.
            arguments: A JSON object.
            request: The encoded HTTP request, if it takes one.
            on_note: Called with the kind and the JSON of what it reports.
        """
        call_id = new_invocation_id().encode()
        try:
            self._channel.send(RUN, name.encode(), call_id, arguments, request or b"")
            kind, *parts = self._channel.receive()
            while kind != DONE:
                on_note(kind, parts[0])
                kind, *parts = self._channel.receive()
        except ChannelClosedError as error:
            return self._death(error, "while it ran the function"), b""
        return decode_ending(parts[0]), parts[1]

    def _death(self, why: ChannelClosedError, when: str) -> Ending:
        """Return the ending of a call whose process is gone."""
        code: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(_END_LIMIT_S)
        if code is None:
            return ending_of_death(None, why, when)
        return ending_of_death(Exit(code, None) if code >= 0 else Exit(None, -code), None, when)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType) -> None:
        # A terminal interrupts both processes: let the function's `finally` come to its end.
        if kind is KeyboardInterrupt:
            with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                self._process.wait(_END_LIMIT_S)
        self._process.kill()
        self._process.wait()
        self._channel.close()
