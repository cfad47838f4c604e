"""`ctx.log`: a logger that no configuration of logging can silence.

`logging.config` disables existing loggers by default; `logging.disable` and the level of the root
apply to all. Records of `ctx.log` must reach the attempt's log all the same. Handlers that the
author adds to the root get them too, except those that write to stdout or stderr: the record would
be in the log twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

NAME = "penstock.function"
LOG_FORMAT = "%(levelname)s %(name)s: %(message)s"


class FunctionLog(logging.Logger):
    """A logger that the logging module does not know, so no configuration changes it.

    Args:
        write_line: Receives each formatted record.
    """

    def __init__(self, write_line: Callable[[str], None]) -> None:
        super().__init__(NAME, logging.INFO)
        self.propagate = False
        self.addHandler(_LineHandler(write_line))

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name of the base class
        """Whether the logger's own level admits this; nothing else counts."""
        return level >= self.level

    def handle(self, record: logging.LogRecord) -> None:
        """Write the record, and pass it to the author's handlers at the root."""
        if not self.filter(record):
            return
        self.callHandlers(record)
        for handler in logging.root.handlers:
            is_other = not isinstance(handler, OwnHandler) and not _writes_to_console(handler)
            if is_other and record.levelno >= handler.level:
                handler.handle(record)


class _LocklessHandler(logging.Handler):
    """A handler without a lock, for targets that are safe to use from many threads.

    A ThreadInterrupt between taking a lock and the next line would leave it locked for ever, and
    no thread could log any more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(LOG_FORMAT))

    def createLock(self) -> None:  # noqa: N802 - the name of the base class
        """Create none."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit the record, or the one a filter returns for it, unless a filter rejects it."""
        found: bool | logging.LogRecord = self.filter(record)  # a record since Python 3.12
        if found:
            self.emit(found if isinstance(found, logging.LogRecord) else record)
        return bool(found)


class OwnHandler(_LocklessHandler):
    """A handler of the runtime at the root logger."""


class _LineHandler(_LocklessHandler):
    def __init__(self, write_line: Callable[[str], None]) -> None:
        super().__init__()
        self._write_line = write_line

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write_line(self.format(record))
        except Exception:  # noqa: BLE001 - like logging: a log line must not fail the call
            self.handleError(record)


def _writes_to_console(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler) and not isinstance(
        handler, logging.FileHandler
    )
