"""Threads that take attempts as a worker's do: one is quick, and steps aside before it waits."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.execution.outcome import Assignment, Outcome
from tests.integration.execution.conftest import Bench, Written, write

COUNT = 24
ILL = 9  # the one that does harm
QUICK = """
import os, time
from runtime import Context

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


@dataclass(frozen=True)
class Ended:
    """How an attempt ended, and when."""

    outcome: Outcome
    at_s: float
    told: list[tuple[str, bytes]]


class Crew:
    """Runs attempts of one function in one thread or several."""

    def __init__(self, bench: Bench, written: Written) -> None:
        self.written = written
        self.ended: dict[str, Ended] = {}
        self.ahead = 0
        self.cancelled: set[str] = set()
        self.errors: list[BaseException] = []
        self._executor = bench.executor
        self._waiting: deque[Assignment] = deque()
        self._changed = threading.Condition()
        self._is_taken = False
        self._mine = threading.local()

    def assign(self, arguments: Sequence[bytes]) -> list[Assignment]:
        """Return attempts "0", "1", … of these arguments."""
        version = self.written.bundle.version
        return [
            Assignment(id=str(n), function="f", version=version, attempt=1, arguments=data)
            for n, data in enumerate(arguments)
        ]

    def run(self, arguments: Sequence[bytes], *, threads: int = 1) -> list[Ended]:
        """Run an attempt for each of these arguments; return how they ended, in this order."""
        self.ended.clear()
        self._waiting.extend(self.assign(arguments))
        crew = [
            threading.Thread(target=self._work, args=(len(arguments),), daemon=True)
            for _ in range(threads)
        ]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join(30)
        assert not self.errors
        assert not self._waiting
        return [self.ended[str(n)] for n in range(len(arguments))]

    def warm_up(self) -> None:
        """Let the function be known as quick."""
        for _ in range(3):  # a busy machine may make a quick one look slow
            self.run([b'{"n": 0}'] * 40)
        self.ahead = 0

    def one(self, assignment: Assignment, next_up: Callable[[int], Sequence[Assignment]]) -> Ended:
        """Run one attempt in this thread."""
        told: list[tuple[str, bytes]] = []
        outcome = self._executor.run(
            assignment,
            self.written.manifest,
            self.written.bundle,
            on_note=lambda kind, data: told.append((kind, data)),
            is_cancelled=lambda: assignment.id in self.cancelled,
            on_wait=self._step_aside,
            next_up=next_up,
        )
        return Ended(outcome, time.monotonic(), told)

    def _work(self, count: int) -> None:
        self._mine.apart = deque()
        self._mine.is_quick = False
        try:
            while (assignment := self._take(count)) is not None:
                ended = self.one(assignment, self._next_up)
                with self._changed:
                    self.ended[assignment.id] = ended
                    self._changed.notify_all()
            assert self._executor.let_go() == ()
        except BaseException as error:
            self.errors.append(error)
            raise
        finally:
            self._step_aside()

    def _take(self, count: int) -> Assignment | None:
        with self._changed:
            while len(self.ended) < count and not self.errors:
                if self._mine.is_quick or not self._is_taken:
                    self._mine.is_quick = self._is_taken = True
                    line = self._mine.apart or self._waiting
                    if line:
                        return line.popleft()
                    self._mine.is_quick = self._is_taken = False
                self._changed.wait(1)
            return None

    def _next_up(self, most: int) -> Sequence[Assignment]:
        with self._changed:
            while self._waiting and len(self._mine.apart) < most:
                self._mine.apart.append(self._waiting.popleft())
                self.ahead += 1
            return list(self._mine.apart)

    def _step_aside(self) -> None:
        with self._changed:
            if getattr(self._mine, "is_quick", False):
                self._waiting.extendleft(reversed(self._mine.apart))
                self._mine.apart.clear()
                self._mine.is_quick = self._is_taken = False
                self._changed.notify_all()


def quick_crew(bench: Bench, **options: object) -> Crew:
    """Return a crew for a function that is known as quick, and does what its arguments say."""
    crew = Crew(bench, write(QUICK, **options))
    crew.warm_up()
    return crew


def calls(path: Path, harm: str = "", count: int = COUNT, ill: int = ILL) -> list[bytes]:
    """Arguments of attempts of which one does harm."""
    told = [{"n": n, "path": str(path), "harm": harm if n == ill else ""} for n in range(count)]
    return [json.dumps(one).encode() for one in told]


def begun(path: Path) -> Counter[int]:
    """How often each attempt has begun."""
    return Counter(int(word) for word in path.read_text().split())


def kinds(ended: Sequence[Ended]) -> list[str]:
    """Status of each, or its type of error."""
    return [
        json.loads(e.outcome.error)["type"] if e.outcome.status == "failed" else e.outcome.status
        for e in ended
    ]


def only_ill(kind: str) -> list[str]:
    """What `kinds` returns when the ill one ended like this, and all others well."""
    return ["succeeded"] * ILL + [kind] + ["succeeded"] * (COUNT - ILL - 1)


def once_each() -> Counter[int]:
    """What `begun` returns when each has begun once."""
    return Counter(range(COUNT))
