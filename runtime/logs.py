"""How every Penstock process writes its log: one line per event, to standard error.

Log lines contain ids, never arguments, results or secrets.
"""

from __future__ import annotations

import atexit
import logging
import sys
from typing import Literal, TextIO, cast

import structlog

from runtime.telemetry.json_lines import JsonLines
from runtime.telemetry.lifecycle_log import LEVELS, configure_status_log
from runtime.telemetry.log_writer import LogWriter

_log = structlog.get_logger(__name__)


def configure_logs(level: str, log_format: Literal["text", "json"]) -> None:
    """Set up structlog and the standard library's logging for this process."""
    writer = LogWriter(
        sys.stderr, on_dropped=lambda count: _log.warning("log_lines_dropped", count=count)
    )
    atexit.register(writer.finish)
    stream = cast("TextIO", writer)
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if log_format == "json" else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    configure_status_log(level=level, is_for_machines=log_format == "json", write=writer.write)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        JsonLines()
        if log_format == "json"
        else logging.Formatter("%(asctime)s [%(levelname)s] %(name)s: %(message)s")
    )
    logging.basicConfig(level=max(LEVELS[level], logging.WARNING), handlers=[handler])
