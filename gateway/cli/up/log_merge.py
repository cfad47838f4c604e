"""The log of `penstock up`: the output of several processes merged into one readable log.

Each line gets the time and a column with the process's name, in colour on a terminal. With
`for_machines`, every line is JSON instead. `tidy` drops time stamps and lines that Redis and
gunicorn print at every start and stop. Used by the supervisor; reading never blocks.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable
from datetime import datetime
from typing import IO, TextIO

LONGEST_LINE_BYTES = 16 * 1024
_READ_BYTES = 65_536
_COLOURS = {"penstock": "1", "redis": "35", "gateway": "36"}
_OTHER_COLOURS = ("32", "33", "34")


class Lines:
    """Splits the output of a process into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, output: IO[bytes]) -> tuple[list[str], bool]:
        """Return the complete lines that have arrived, and whether the output has ended."""
        data = b""
        ended = False
        with contextlib.suppress(BlockingIOError):
            data = os.read(output.fileno(), _READ_BYTES)
            ended = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self._rest and (ended or len(self._rest) > LONGEST_LINE_BYTES):
            lines.append(self._rest)
            self._rest = b""
        return [line.decode("utf-8", "replace").rstrip() for line in lines], ended


class Log:
    """Writes lines, each with the name of the process that printed it.

    Args:
        stream: Where lines are written. If it is closed, lines are dropped without an error.
        width: Width of the column with the name.
        clock: Returns the local time.
        colour: Colour the time and the name.
        for_machines: Write no column and no colour; wrap lines that are not JSON in JSON.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        width: int,
        clock: Callable[[], datetime],
        colour: bool = False,
        for_machines: bool = False,
    ) -> None:
        self._stream = stream
        self._width = width
        self._colour = colour
        self._clock = clock
        self._for_machines = for_machines

    def write(self, name: str, *texts: str) -> None:
        """Write lines of the process `name` in one write."""
        if self._for_machines:
            lines = [text if text.startswith("{") else self._as_json(name, text) for text in texts]
            self.write_plain("\n".join(lines))
            return
        stamp, column = f"{self._clock():%H:%M:%S}", f"{name:<{self._width}} |"
        if self._colour:
            stamp, column = f"\x1b[2m{stamp}\x1b[0m", f"\x1b[{_colour_of(name)}m{column}\x1b[0m"
        self.write_plain("\n".join(f"{stamp} {column} {text}" for text in texts))

    def write_plain(self, text: str) -> None:
        """Write a text without time and column."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text + "\n")
            self._stream.flush()

    def _as_json(self, name: str, text: str) -> str:
        return json.dumps(
            {"event": text, "process": name, "timestamp": self._clock().isoformat()},
            ensure_ascii=False,
        )


def _colour_of(name: str) -> str:
    kind, _, number = name.partition("-")
    if kind in _COLOURS:
        return _COLOURS[kind]
    return _OTHER_COLOURS[int(number or 0) % len(_OTHER_COLOURS)]


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
    """Return the line as the log shows it, or None if it is left out."""
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
