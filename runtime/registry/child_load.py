"""Load a bundle in a child process of its own and return the manifests that it publishes.

The publisher uses it. The child is used once, so a file that hangs, exits, crashes or starts
threads does no harm. In the child, `faulthandler` writes the traceback of a hang or a crash to a
temporary file, from which the line for the error is taken.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import tempfile
from pathlib import Path

import msgspec

from runtime.errors import ChannelClosedError, ChannelGarbledError, LoadError
from runtime.processes.child_control import Exit
from runtime.processes.fork_server import Child, ForkServer
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from runtime.registry.name_check import check_claims

ENTRY = "runtime.registry.child_load_main:inspect_bundle"
PRELOAD = ("runtime.registry.child_load_main",)
_MEMORY_BYTES = 4 * 1024**3
_GRACE_S = 1.0
_EXIT_WAIT_S = 2.0
_TRACE_MOST_BYTES = 65_536
_FRAME = re.compile(r'^  File "(?P<path>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
_decoder = msgspec.json.Decoder(list[Manifest])


def inspect(fork_server: ForkServer, bundle: Bundle, *, deadline_s: float = 10.0) -> list[Manifest]:
    """Return the manifests of the functions that a bundle publishes.

    Args:
        fork_server: Starts the child.
        bundle: The bundle to load.
        deadline_s: How long loading may take.

    Raises:
        LoadError: The file does not load. `kind` is the name of the exception's type, or one of
            "Timeout", "Exited", "Crashed" and "Garbled".
        ProcessError: No child could be started, which is not the file's fault.
    """
    with (
        tempfile.NamedTemporaryFile(prefix="penstock-load-") as trace,
        fork_server.spawn(ENTRY, memory_bytes=_MEMORY_BYTES) as child,
    ):
        request = (bundle.encode(), f"{deadline_s}".encode(), trace.name.encode())
        try:
            child.channel.send(*request, timeout_s=deadline_s)
            kind, body = child.channel.receive(deadline_s + _GRACE_S)
        except TimeoutError:
            child.kill()
            raise _timeout(bundle, trace.name, deadline_s) from None
        except (ChannelGarbledError, ValueError):
            raise _garbled(bundle) from None
        except ChannelClosedError:
            raise _death(bundle, child, trace.name, deadline_s) from None
    try:
        if kind != b"failed":
            manifests = _decoder.decode(body)
            check_claims(bundle, manifests)
            return manifests
        fault = json.loads(body)
        error = LoadError(fault["kind"], fault["message"], file=fault["file"], line=fault["line"])
    except (ValueError, KeyError, TypeError):  # not an answer that `child_load_main` sends
        raise _garbled(bundle) from None
    raise error


def _garbled(bundle: Bundle) -> LoadError:
    text = "the file wrote to the channel between its process and the worker while loading"
    return LoadError("Garbled", text, file=bundle.file, line=None)


def _death(bundle: Bundle, child: Child, trace: str, deadline_s: float) -> LoadError:
    """Return the error for a child that closed its channel without an answer."""
    ended = child.wait(_EXIT_WAIT_S) or Exit(None, signal.SIGKILL)
    if _read(trace).startswith("Timeout"):
        return _timeout(bundle, trace, deadline_s)
    file, line = _place(bundle, trace)
    if ended.signal is not None:
        with contextlib.suppress(ValueError):
            name = signal.Signals(ended.signal).name
            text = f"the process crashed while the file loaded ({name})"
            return LoadError("Crashed", text, file=file, line=line)
        text = f"the process crashed while the file loaded (signal {ended.signal})"
        return LoadError("Crashed", text, file=file, line=line)
    text = f"the file ended its process while loading (exit code {ended.code})"
    return LoadError("Exited", text, file=file, line=line)


def _timeout(bundle: Bundle, trace: str, deadline_s: float) -> LoadError:
    file, line = _place(bundle, trace)
    return LoadError(
        "Timeout", f"the file was still loading after {deadline_s:g} s", file=file, line=line
    )


def _place(bundle: Bundle, trace: str) -> tuple[str, int | None]:
    """Return the innermost frame in the bundle's files; faulthandler writes innermost first."""
    for match in _FRAME.finditer(_read(trace)):
        file = bundle.file_of(match["path"])
        if file is not None:
            return file, int(match["line"])
    return bundle.file, None


def _read(trace: str) -> str:
    with contextlib.suppress(OSError), Path(trace).open("rb") as file:
        return file.read(_TRACE_MOST_BYTES).decode("utf-8", "replace")
    return ""
