"""Load a bundle in a child process of its own and return the manifests that it publishes.

The publisher uses it. The child is used once, so a file that hangs, exits, crashes or starts
threads does no harm. In the child, `faulthandler` writes the traceback of a hang or a crash to a
temporary file, from which the line for the error is taken. The manifests come from a process that
ran the file, so they are checked here.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from runtime.errors import ChannelClosedError, ChannelGarbledError, LoadError
from runtime.processes.child_control import Exit
from runtime.processes.fork_server import Child, ForkServer
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import FileError, Manifest
from runtime.sdk.option_parsing import is_function_name

ENTRY = "runtime.registry.child_load_main:inspect_bundle"
LOADING = "runtime.registry.child_load_main"
PRELOAD = (LOADING, "runtime.registry.manifest_completion")
COMPLETING = "runtime.registry.manifest_completion:complete_all"
_MEMORY_BYTES = 4 * 1024**3
_COMPLETING_LIMIT_S = 10.0
_GRACE_S = 1.0
_EXIT_WAIT_S = 2.0
_TRACE_MOST_BYTES = 65_536
_SHOWN_CHARACTERS = 80
_FRAME = re.compile(r'^  File "(?P<path>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
_decoder = msgspec.json.Decoder(list[Manifest])


def inspect(
    fork_server: ForkServer,
    bundle: Bundle,
    *,
    deadline_s: float = 10.0,
    completing: ForkServer | None = None,
) -> list[Manifest]:
    """Return the manifests of the functions that a bundle publishes.

    Args:
        fork_server: Starts the child that loads the bundle.
        bundle: The bundle to load.
        deadline_s: How long loading may take.
        completing: Starts the child that completes the manifests, if `fork_server` is one of an
            environment of the function's own; by default the first child does.

    Raises:
        LoadError: The file does not load. `kind` is the name of the exception's type, or one of
            "Timeout", "Exited", "Crashed" and "Garbled".
        ProcessError: No child could be started, which is not the file's fault.
    """
    with contextlib.ExitStack() as stack:
        trace = stack.enter_context(tempfile.NamedTemporaryFile(prefix="penstock-load-"))
        child = stack.enter_context(fork_server.spawn(ENTRY, memory_bytes=_MEMORY_BYTES))
        second: Child | None = None
        completes = b"1" if completing is None else b"0"
        request = (bundle.encode(), f"{deadline_s}".encode(), trace.name.encode(), completes)
        try:
            child.channel.send(*request, timeout_s=deadline_s)
            if completing is not None:  # it starts while the file loads
                second = stack.enter_context(
                    completing.spawn(COMPLETING, memory_bytes=_MEMORY_BYTES)
                )
            kind, body = child.channel.receive(deadline_s + _GRACE_S)
        except TimeoutError:
            child.kill()
            raise _timeout(bundle, trace.name, deadline_s) from None
        except (ChannelGarbledError, ValueError):
            raise _garbled(bundle) from None
        except ChannelClosedError:
            raise _death(bundle, child, trace.name, deadline_s) from None
        if kind == b"described" and second is not None:
            child.close()
            kind, body = _complete(second, bundle, body)
    try:
        if kind != b"failed":
            manifests = _decoder.decode(body)
            check_claims(bundle, manifests)
            return manifests
        fault = FileError(**json.loads(body))
    except (ValueError, TypeError):  # not an answer that `child_load_main` sends
        raise _garbled(bundle) from None
    raise LoadError(fault.type, fault.message, file=fault.file, line=fault.line)


def _complete(child: Child, bundle: Bundle, described: bytes) -> list[bytes]:
    """Have the manifests completed in a child of our own environment; return its answer."""
    try:
        child.channel.send(described, timeout_s=_COMPLETING_LIMIT_S)
        return child.channel.receive(_COMPLETING_LIMIT_S)
    except TimeoutError:
        text = f"its schemas were not checked within {_COMPLETING_LIMIT_S:g} s"
        raise LoadError("SchemaError", text, file=bundle.file, line=None) from None
    except ChannelClosedError:
        raise _garbled(bundle) from None


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
        name = f"signal {ended.signal}"
        with contextlib.suppress(ValueError):  # a real-time signal has no name
            name = signal.Signals(ended.signal).name
        text = f"the process crashed while the file loaded ({name})"
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


def check_claims(bundle: Bundle, manifests: Iterable[Manifest]) -> None:
    """Check that a file may publish these manifests, which its own code may have forged.

    A name must follow from the sources: it is the name that the file stands for, or begins with it
    and `.` or `_`, or is written in the sources, in full or without the prefix of the folder.

    Raises:
        LoadError: A manifest is for another file or version, or its name is invalid, used twice, or
            does not follow from the sources.
    """
    seen: set[str] = set()
    for manifest in manifests:
        shown = repr(manifest.name[:_SHOWN_CHARACTERS])
        if (manifest.file, manifest.version) != (bundle.file, bundle.version) or manifest.error:
            text = f"the file tried to publish {shown} for another file or version"
            raise _refused(bundle, "Garbled", text)
        if not is_function_name(manifest.name):
            raise _refused(bundle, "BadName", f"{shown} is not a valid function name")
        if manifest.name in seen:
            raise _refused(bundle, "DuplicateName", f"{shown} is published twice in this file")
        seen.add(manifest.name)
        if not _is_accounted_for(manifest.name, bundle):
            own = bundle.default_name
            text = (
                f"the name {shown} is not written in the file; a computed name must begin with "
                f"'{own}.' or '{own}_'"
            )
            raise _refused(bundle, "BadName", text)


def _is_accounted_for(name: str, bundle: Bundle) -> bool:
    own = bundle.default_name
    if name == own or name.startswith((f"{own}.", f"{own}_")):
        return True
    if any(_has_word(source, name) for source in bundle.sources.values()):
        return True
    defined = name.removeprefix(bundle.prefix)
    is_below = name.startswith(bundle.prefix) and "." not in defined
    return is_below and _has_word(bundle.sources[bundle.file], defined)


def _has_word(source: bytes, word: str) -> bool:
    return re.search(rb"(?<![\w.])" + re.escape(word.encode()) + rb"(?![\w.])", source) is not None


def _refused(bundle: Bundle, kind: str, text: str) -> LoadError:
    return LoadError(kind, text, file=bundle.file, line=None)
