"""`ctx.log`: a logger that no configuration of logging can silence.

`logging.config` disables loggers that exist, unless it is told otherwise; `logging.disable` and a
new level of the root act on all. What a function tells by `ctx.log` must stand in its call's log
all the same. Handlers that the author adds to the root get it too, but for those that write to
stdout or stderr: there it would stand twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

NAME = "penstock.function"
LOG_FORMAT = "%(levelname)s %(name)s: %(message)s"


class FunctionLog(logging.Logger):
    """Known to nobody's configuration, since the logging module does not hold it.

    Args:
        write_line: Takes a formatted record.
    """

    def __init__(self, write_line: Callable[[str], None]) -> None:
        super().__init__(NAME, logging.INFO)
        self.propagate = False
        self.addHandler(_LineHandler(write_line))

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - as the class above has it
        """Whether its own level lets this through; nothing else counts."""
        return level >= self.level

    def handle(self, record: logging.LogRecord) -> None:
        """Write the record, and offer it to what else listens at the root."""
        if not self.filter(record):
            return
        self.callHandlers(record)
        for handler in logging.root.handlers:
            is_other = not isinstance(handler, OwnHandler) and not _writes_to_console(handler)
            if is_other and record.levelno >= handler.level:
                handler.handle(record)


class _LocklessHandler(logging.Handler):
    """Hands each record to what is safe to use from many threads.

    A lock of its own would stay held for ever where an Interruption comes between its being taken
    and the next line, and then nobody could log any more.
    """

    def createLock(self) -> None:  # noqa: N802 - as the class above has it
        """Have none."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit the record, or what a filter makes of it, unless one refuses it."""
        found: bool | logging.LogRecord = self.filter(record)  # a record since Python 3.12
        if found:
            self.emit(found if isinstance(found, logging.LogRecord) else record)
        return bool(found)


class OwnHandler(_LocklessHandler):
    """A handler of ours at the root logger."""


class _LineHandler(_LocklessHandler):
    def __init__(self, write_line: Callable[[str], None]) -> None:
        super().__init__()
        self._write_line = write_line
        self.setFormatter(logging.Formatter(LOG_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write_line(self.format(record))
        except Exception:  # noqa: BLE001 - as logging does: a log line harms nobody
            self.handleError(record)


def _writes_to_console(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler) and not isinstance(
        handler, logging.FileHandler
    )
