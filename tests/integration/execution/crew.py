"""Attempts of one quick function that come at once, of which one may do harm."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.integration.execution.bench import Attempt, Bench
from tests.integration.execution.written import Written, write

COUNT = 24
ILL = 9  # the one that does harm
QUICK = """
import os, time
from penstock import Context

def f(n: int, path: str = "", harm: str = "", *, ctx: Context):
    if path:
        os.write(begun(path), b"%d " % n)
    if harm:
        exec(harm)
    return [n, os.getpid()]

opened = {}
def begun(path):
    if path not in opened:
        opened[path] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return opened[path]
"""


class Crew:
    """Runs attempts of one function that all come at once.

    Attributes:
        ahead: How many were sent to a runner together with others, ahead of their turn.
    """

    def __init__(self, bench: Bench, written: Written) -> None:
        self.written = written
        self.ahead = 0
        self._bench = bench

    def begin(
        self, arguments: Sequence[bytes], *, then: Callable[[], object] = lambda: None
    ) -> list[Attempt]:
        """Have attempts "0", "1", … of these arguments run; do something when they are sent."""
        return self._bench.submit_all(self.written, arguments, then=then)

    def run(self, arguments: Sequence[bytes]) -> list[Attempt]:
        """Run an attempt for each of these arguments; return them when all have ended."""
        return self.wait(self.begin(arguments))

    def wait(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Return these when all have ended."""
        for attempt in attempts:
            attempt.wait()
        sent_at = Counter(attempt.run.sent_at for attempt in attempts if attempt.run)
        self.ahead += sum(count - 1 for at, count in sent_at.items() if at)
        return list(attempts)

    def warm_up(self) -> None:
        """Let the function be known as quick."""
        for _ in range(3):  # a busy machine may make a quick one look slow
            self.run([b'{"n": 0}'] * 40)
        self.ahead = 0


def quick_crew(bench: Bench, **options: object) -> Crew:
    """Return a crew for a function that is known as quick, and does what its arguments say."""
    crew = Crew(bench, write(QUICK, **options))
    crew.warm_up()
    return crew


def calls(path: Path, harm: str = "", count: int = COUNT, ill: int = ILL) -> list[bytes]:
    """Arguments of attempts of which one does harm."""
    reported = [{"n": n, "path": str(path), "harm": harm if n == ill else ""} for n in range(count)]
    return [json.dumps(one).encode() for one in reported]


def begun(path: Path) -> Counter[int]:
    """How often each attempt has begun."""
    return Counter(int(word) for word in path.read_text().split())


def only_ill(kind: str) -> list[str]:
    """What `kinds` returns when the ill one ended like this, and all others well."""
    return ["succeeded"] * ILL + [kind] + ["succeeded"] * (COUNT - ILL - 1)


def once_each() -> Counter[int]:
    """What `begun` returns when each has begun once."""
    return Counter(range(COUNT))
