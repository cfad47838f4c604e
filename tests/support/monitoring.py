"""What clients send to a Redis, seen on the server by MONITOR.

Commands that scripts issue inside Redis are no round trips and are left out. A script of ours
goes by its name, any other command by its first word.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from runtime.store.scripts import all_scripts

_END = "the-end-of-what-is-monitored"


class Monitor:
    """The commands seen since the start, counted by name."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.ended = Event()
        self._scripts = {script.sha: script.name for script in all_scripts()}

    def note(self, line: str) -> None:
        """Take one line of MONITOR: `+<time> [<db> <client>] "<word>" …`."""
        head, _, rest = line.partition("] ")
        if _END in rest:
            self.ended.set()
        elif rest and not head.endswith(" lua"):
            words = [word.strip('"') for word in rest.split('" "')]
            script = self._scripts.get(words[1]) if len(words) > 1 else None
            self.seen[script or words[0].lower()] += 1


@contextmanager
def monitored(path: str) -> Iterator[Monitor]:
    """Watch the Redis on a Unix socket while the block runs.

    Redis may answer a caller before it writes to MONITOR, so the end is a command of its own, and
    what came before it has been seen when the block has ended.
    """
    monitor = Monitor()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(b"MONITOR\r\n")
        lines = connection.makefile("r", encoding="utf-8", errors="replace", newline="\n")
        assert lines.readline().startswith("+OK")
        reader = Thread(target=lambda: [monitor.note(line.rstrip()) for line in lines], daemon=True)
        reader.start()
        try:
            yield monitor
            with socket.socket(socket.AF_UNIX) as last:
                last.connect(path)
                last.sendall(f"ECHO {_END}\r\n".encode())
                assert monitor.ended.wait(10), "MONITOR did not show the last command"
        finally:
            connection.shutdown(socket.SHUT_RDWR)
            reader.join(5)
            lines.close()
