"""What of a process's output is worth a line in the one log.

Stamps are cut off, because the log has its own, and so are the lines that Redis and
gunicorn say at every start. Pure; used by the supervisor.
"""

from __future__ import annotations

import re

_REDIS_STAMP = re.compile(r"^\d+:[A-Z] \d+ \w+ \d+ [\d:.]+ ([.\-*#]) ")
_REDIS_ALARM = "#"
_REDIS_ALWAYS_SAYS = (
    *("oO0OoO0OoO0Oo", "Redis version=", "Valkey version=", "Configuration loaded"),
    *("Server initialized", "overcommit", "transparent huge pages", "TCP backlog"),
    *("User requested shutdown", "Received SIGTERM", "bye bye"),
)
_GUNICORN_STAMP = re.compile(r"^\[[\d :+-]+\] \[\d+\] (?=\[)")
_GUNICORN_ALWAYS_SAYS = re.compile(
    r"^\[INFO\] (Starting gunicorn|Listening at|Using worker|Booting worker|Worker exiting"
    r"|Handling signal|Shutting down|Error while closing socket|Worker \(pid:\d+\) was sent SIGTERM"
    r"|(Started|Finished) server process|Waiting for application|Application \w+ complete)"
)
_OUR_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ")


def tidy(line: str, *, is_redis: bool) -> str | None:
    """Return the line as the log shows it, or None where it says nothing new."""
    if is_redis:
        return _tidy_redis(line)
    line = _OUR_STAMP.sub("", _GUNICORN_STAMP.sub("", line))
    return None if not line or _GUNICORN_ALWAYS_SAYS.match(line) else line


def _tidy_redis(line: str) -> str | None:
    if any(words in line for words in _REDIS_ALWAYS_SAYS):
        return None
    match = _REDIS_STAMP.match(line)
    if match is None:
        return line or None
    return line[match.end() :] if match[1] == _REDIS_ALARM else None
