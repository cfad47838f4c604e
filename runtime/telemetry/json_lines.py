"""Format records of the standard library's logging as JSON, in the shape of our own events.

For what gunicorn, uvicorn and other libraries log in our processes. It imports the standard library
only, since gunicorn's arbiter uses it.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """One JSON object per line: event, logger, pid, level, timestamp and any exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line (logging.Formatter)."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        line = {
            "event": record.getMessage(),
            "logger": record.name,
            "pid": record.process,
            "level": record.levelname.lower(),
            "timestamp": moment,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
