"""Keep what Python code prints and logs for a while, and let it go where it went before as well."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from typing import TYPE_CHECKING, Self, TextIO, cast

from runtime.execution.context_log import LOG_FORMAT

if TYPE_CHECKING:
    from typing_extensions import Buffer


class KeptOutput:
    """Used as a context manager; one at a time, as `sys.stdout` is one for the whole process."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._restored = contextlib.ExitStack()

    def text(self) -> str:
        """Return what was written so far."""
        return self._kept.decode("utf-8", "replace")

    def __enter__(self) -> Self:
        out, err = (self._copying(stream) for stream in (sys.stdout, sys.stderr))
        self._restored.enter_context(contextlib.redirect_stdout(out))
        self._restored.enter_context(contextlib.redirect_stderr(err))
        root, level = logging.getLogger(), logging.getLogger().level
        handler = _Handler(self._kept)
        root.addHandler(handler)
        root.setLevel(min(level, logging.INFO) or logging.INFO)  # as in a runner
        self._restored.callback(root.setLevel, level)
        self._restored.callback(root.removeHandler, handler)
        return self

    def __exit__(self, *_: object) -> None:
        self._restored.close()

    def _copying(self, stream: TextIO) -> io.TextIOWrapper:
        raw = cast("io.RawIOBase", _CopyingFile(self._kept, stream))
        return io.TextIOWrapper(
            raw,  # type: ignore[arg-type]
            encoding="utf-8",
            errors="backslashreplace",
            write_through=True,
        )


class _CopyingFile(io.RawIOBase):
    def __init__(self, kept: bytearray, stream: TextIO) -> None:
        super().__init__()
        self._kept = kept
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        taken = bytes(data)
        self._kept += taken
        self._stream.write(taken.decode("utf-8", "replace"))
        return len(taken)


class _Handler(logging.Handler):
    def __init__(self, kept: bytearray) -> None:
        super().__init__()
        self._kept = kept
        self.setFormatter(logging.Formatter(LOG_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        self._kept += f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
